import { describe, expect, test } from 'vitest';
import { commaList, Environment } from '../../src/services/environment.ts';

const environment = (pairs: Record<string, string>, prefix?: string) =>
  new Environment(new Map(Object.entries(pairs)), prefix);

const values = (settings: ReadonlyMap<string, { value: string }>) =>
  Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));

describe('the SERVICE_* settings of a container', () => {
  test('have keys in lower case, without other variables', () => {
    const settings = environment({ SERVICE_NAME: 'web', PATH: '/bin', service_name: 'x' }).settings();
    expect(values(settings)).toEqual({ name: 'web' });
  });

  test('override the wider scope by the narrower, in any order', () => {
    const all = environment({
      SERVICE_53_UDP_NAME: 'dns-udp',
      SERVICE_53_NAME: 'dns',
      SERVICE_NAME: 'any',
    });
    expect(values(all.settings(53, 'udp'))).toEqual({ name: 'dns-udp' });
    expect(values(all.settings(53, 'tcp'))).toEqual({ name: 'dns' });
    expect(values(all.settings(80, 'tcp'))).toEqual({ name: 'any' });
    expect(values(all.settings())).toEqual({ name: 'any' });
  });

  test('leave out the settings of other ports', () => {
    expect(values(environment({ SERVICE_80_NAME: 'web' }).settings(443, 'tcp'))).toEqual({});
  });

  test('distinguish keys that are set for the port itself', () => {
    const all = environment({ SERVICE_80_NAME: 'web', SERVICE_53_UDP_NAME: 'dns', SERVICE_TAGS: 'x' });
    expect(all.isForPort('name', 80, 'tcp')).toBe(true);
    expect(all.isForPort('name', 53, 'udp')).toBe(true);
    expect(all.isForPort('name', 53, 'tcp')).toBe(false);
    expect(all.isForPort('tags', 80, 'tcp')).toBe(false);
  });

  test('read a lone number or protocol as a key', () => {
    expect(values(environment({ SERVICE_80: 'a', SERVICE_80_TCP: 'b' }).settings(80, 'tcp'))).toEqual({
      '80': 'a',
      tcp: 'b',
    });
  });

  test('include the labels of a Marathon app, which real labels override', () => {
    const all = environment({
      MARATHON_APP_LABEL_SERVICE_TAGS: 'a,b',
      SERVICE_NAME: 'web',
      MARATHON_APP_LABEL_SERVICE_NAME: 'app',
    });
    expect(values(all.settings())).toEqual({ tags: 'a,b', name: 'web' });
  });

  test('may have another prefix', () => {
    const all = environment({ HEDDLE_NAME: 'web', SERVICE_NAME: 'x' }, 'HEDDLE_');
    expect(values(all.settings())).toEqual({ name: 'web' });
  });

  test('keep known keys in a label bomb, and report what is left out', () => {
    const bomb = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`SERVICE_X${n}`, 'v']));
    const all = environment({ ...bomb, SERVICE_NAME: 'web' });
    expect(values(all.settings()).name).toBe('web');
    expect(all.settings().size).toBe(257);
    expect(all.problems).toEqual(['9744 of its SERVICE_* settings are left out: more than 256']);
  });

  test('leave out values of a megabyte, and report that', () => {
    const long = 'x'.repeat(1 << 20);
    const all = environment({ SERVICE_NAME: 'web', SERVICE_TAGS: long, SERVICE_CHECK_HTTP: `/${long}` });
    expect(values(all.settings())).toEqual({ name: 'web' });
    expect(all.problems).toEqual(['2 of its SERVICE_* settings are left out: longer than 32768 characters']);
  });
});

describe('a comma list', () => {
  test.each([
    ['a,b', ['a', 'b']],
    [' a , b ', ['a', 'b']],
    ['c,b,a', ['c', 'b', 'a']],
    ['a\\,b,c', ['a,b', 'c']],
    ['a\\b', ['a\\b']],
    [',,a,', ['a']],
    ['', []],
  ])('%j is %j', (text, parts) => {
    expect(commaList(text)).toEqual(parts);
  });
});
