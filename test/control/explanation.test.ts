import { describe, expect, it } from 'vitest';
import { askedName, explain } from '../../src/control/explanation.ts';
import type { Instance } from '../../src/registry/registry.ts';
import { define, withheld } from '../../src/services/define.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const OPTIONS = { hostId: 'h', runs: () => true };

function report(words: Parameters<typeof entryOf>[0]) {
  const entry = entryOf(words);
  const services = define(entry, OPTIONS).definitions.map(({ service }) => service);
  return { entry, services, withheld: withheld(entry, services, OPTIONS), problems: [] };
}

const seen = (reports: readonly ReturnType<typeof report>[], status: Instance['status'] = 'passing') =>
  reports
    .flatMap(({ services }) => services)
    .map((service): Instance => ({ service, node: 'n', nodeAddress: '127.0.0.1', status }));

const registration = () => 'registered';
const WEB = { name: 'web-1', env: { SERVICE_NAME: 'web', SERVICE_TAGS: 'v1' }, ports: [80] };

describe('a name that is asked about', () => {
  it.each([
    ['web', 'web', undefined],
    ['WEB.service.consul.', 'web', undefined],
    ['web.service.dc1.consul', 'web', undefined],
    ['v1.web', 'web', 'v1'],
    ['site1.customer1.web.service.dc1.consul', 'web', 'site1.customer1'],
    ['_web._v1.service.consul', 'web', 'v1'],
    ['_web._tcp.service.consul', 'web', undefined],
    ['service', 'service', undefined],
    ['service.service.consul', 'service', undefined],
  ])('%s is service %s with tag %s', (text, name, tag) => {
    expect(askedName(text)).toEqual({ name, tag });
  });
});

describe('why a name answers', () => {
  it('is told with container, address, reason and registration', () => {
    const reports = [report(WEB), report({ id: containerId('b'), env: { SERVICE_NAME: 'other' } })];
    const { answers, here, nothing } = explain(askedName('v1.web'), reports, seen(reports), registration);
    expect(answers).toEqual(['10.2.1.1']);
    expect(nothing).toBeUndefined();
    expect(here).toMatchObject([
      { containerName: 'web-1', announced: '10.2.1.1: test', registration: 'registered', answers: true },
    ]);
  });

  it('is told with the addresses of both families', () => {
    const reports = [report({ ...WEB, ipv6: 'fd00::1' })];
    const { answers, here } = explain(askedName('web'), reports, seen(reports), registration);
    expect(answers).toEqual(['10.2.1.1', 'fd00::1']);
    expect(here).toMatchObject([{ announced: '10.2.1.1 and fd00::1: test' }]);
  });

  it('names a container that is kept out by its own IGNORE', () => {
    const hidden = report({ ...WEB, env: { ...WEB.env, SERVICE_IGNORE: '1' } });
    expect(hidden.services).toEqual([]);
    const { answers, here } = explain(askedName('web'), [hidden], [], registration);
    expect(answers).toEqual([]);
    expect(here).toMatchObject([{ containerName: 'web-1', why: 'its own metadata says IGNORE' }]);
  });

  it('counts instances of other hosts, at their node where they have no address', () => {
    const [instance] = seen([report(WEB)]);
    const other = (address: string, status: Instance['status']): Instance => ({
      service: { ...(instance as Instance).service, id: `${address}${status}`, address },
      node: 'n2',
      nodeAddress: '192.0.2.2',
      status,
    });
    const found = [other('', 'passing'), other('10.9.9.9', 'critical'), other('10.9.9.8', 'warning')];
    const { answers, elsewhere } = explain(askedName('web'), [], found, registration);
    expect(answers).toEqual(['192.0.2.2', '10.9.9.8']);
    expect(elsewhere).toHaveLength(3);
  });
});

describe('why a name does not answer', () => {
  it.each<[string, Parameters<typeof entryOf>[0], string]>([
    ['the container is stopped', { ...WEB, running: false, pid: 0 }, 'it is not running'],
    ['the container is paused', { ...WEB, running: false, paused: true }, 'it is paused'],
    ['its address is awaited', { ...WEB, awaitingAddress: true }, 'waiting for its address'],
    ['no address could be chosen', { ...WEB, ip: null }, 'ethwe: no such interface'],
  ])('%s', (_, words, why) => {
    const reports = [report(words)];
    const { answers, here, nothing } = explain(askedName('web'), reports, seen(reports), registration);
    expect(answers).toEqual([]);
    expect(here).toMatchObject([{ answers: false, registration: 'not registered' }]);
    expect(here[0]?.why).toContain(why);
    expect(nothing).toContain('none of the instances of web answers');
  });

  it('the tag is another', () => {
    const reports = [report(WEB)];
    const { here } = explain(askedName('v2.web'), reports, seen(reports), registration);
    expect(here[0]?.why).toBe('it has not the tag v2, but v1');
  });

  it('its check is critical, or the registry does not have it', () => {
    const reports = [report({ ...WEB, env: { ...WEB.env, SERVICE_CHECK_TCP: 'true' } })];
    const why = (found: readonly Instance[]) =>
      explain(askedName('web'), reports, found, registration).here[0]?.why;
    expect(why(seen(reports, 'critical'))).toBe('a check of it is critical');
    expect(why([])).toBe('the registry that runs its checks does not list it');
    const unchecked = [report(WEB)];
    expect(explain(askedName('web'), unchecked, [], registration).here[0]?.why).toBe(
      'the registry refused it',
    );
  });

  it('nothing is called so, and the names that there are help', () => {
    const reports = [report(WEB)];
    expect(explain(askedName('wbe'), reports, [], registration).nothing).toBe(
      'no service is called wbe; the containers of this host are web',
    );
  });
});
