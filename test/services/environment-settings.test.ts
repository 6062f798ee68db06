import { describe, expect, test } from 'vitest';
import { define } from '../../src/services/define.ts';
import type { DefineOptions } from '../../src/services/definition.ts';
import { parseTagTemplate } from '../../src/services/tag-template/template.ts';
import { entryOf } from '../support/roster.ts';

type Container = Parameters<typeof entryOf>[0];

const defined = (container: Container, options: Partial<DefineOptions>) =>
  define(entryOf(container), { hostId: 'h1', ...options });
const first = (container: Container, options: Partial<DefineOptions>) =>
  defined(container, options).definitions[0]?.service;

describe('with --explicit', () => {
  test.each<[string, Container, string[]]>([
    ['an image name is no name', { ports: [80] }, []],
    ['a Marathon app id is none either', { env: { MARATHON_APP_ID: '/web' } }, []],
    ['SERVICE_NAME is one', { env: { SERVICE_NAME: 'web' } }, ['web']],
  ])('%s', (_, container, names) => {
    expect(defined(container, { explicit: true }).definitions.map(({ service }) => service.name)).toEqual(
      names,
    );
  });
});

describe('with --tags', () => {
  const tagTemplate = parseTagTemplate('all,{{sIndex 0 .Config.Env}}');

  test('every service has these tags after its own and before its protocol', () => {
    const container = { env: { SERVICE_TAGS: 'own' }, ports: ['53/udp'] };
    expect(first(container, { tagTemplate })?.tags).toEqual(['own', 'all', 'SERVICE_TAGS=own', 'udp']);
  });

  test('a container that the template fails for loses only these tags, with a reason', () => {
    const failing = parseTagTemplate('all,{{toUpper .State.Pid}}');
    const { definitions, problems } = defined({ env: { SERVICE_TAGS: 'own' } }, { tagTemplate: failing });
    expect(definitions[0]?.service.tags).toEqual(['own']);
    expect(problems).toEqual(['--tags gives this container no tags: "1" is not a string']);
  });
});

describe('with --use-ip-from-label', () => {
  const addressLabel = 'my.ip';
  test.each<[string, Record<string, string>, string]>([
    ['the address in it, without its prefix length', { 'my.ip': '10.9.9.9/24' }, '10.9.9.9'],
    ['SERVICE_ADDRESS above it', { 'my.ip': '10.9.9.9', SERVICE_ADDRESS: '10.8.8.8' }, '10.8.8.8'],
    ['the chosen address without the label', {}, '10.2.1.1'],
    ['the chosen address where the label is nonsense', { 'my.ip': '10.9.9.999' }, '10.2.1.1'],
  ])('%s', (_, env, address) => {
    expect(first({ env }, { addressLabel })?.address).toBe(address);
  });
});

describe('a Marathon task', () => {
  const env = {
    MARATHON_APP_ID: '/shop/db',
    MESOS_TASK_ID: 'db_shop.d10caa92',
    PORT0: '31000',
    PORT1: '31001',
  };

  test('has its task tag if the setting is on', () => {
    expect(first({ env }, {})?.tags).toEqual(['db']);
    expect(first({ env }, { taskTags: true })?.tags).toEqual(['db', 'marathon-task:db_shop.d10caa92']);
  });

  test("has Marathon's ports, not the image's, in the host's network", () => {
    const ports = (networkMode: string) =>
      defined({ env, networkMode, ports: [5432] }, {}).definitions.map(
        ({ service: { name, port } }) => `${name} ${port}`,
      );
    expect(ports('host')).toEqual(['shop 31000', 'shop-31001 31001']);
    expect(ports('bridge')).toEqual(['shop 5432']);
  });

  test.each([
    ['what is not a port', { ...env, PORT0: '99999' }],
    ['a container without an app id', { PORT0: '31000' }],
  ])("keeps the image's ports for %s", (_, given) => {
    const { definitions } = defined({ env: given, networkMode: 'host', ports: [5432] }, {});
    expect(definitions.map(({ service }) => service.port)).toEqual([5432]);
  });
});
