import { describe, expect, it } from 'vitest';
import { explain, parseServiceQuery } from '../../src/operations/explanation.ts';
import type { CheckState, Instance } from '../../src/registry/registry.ts';
import { define } from '../../src/services/define.ts';
import { wouldRegister } from '../../src/services/would-register.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const OPTIONS = { hostId: 'h', runs: () => true };

function report(options: Parameters<typeof entryOf>[0]) {
  const entry = entryOf(options);
  const services = define(entry, OPTIONS).definitions.map(({ service }) => service);
  return { entry, services, wouldRegister: wouldRegister(entry, services, OPTIONS), problems: [] };
}

const seen = (reports: readonly ReturnType<typeof report>[], status: Instance['status'] = 'passing') =>
  reports
    .flatMap(({ services }) => services)
    .map((service): Instance => ({ service, node: 'n', nodeAddress: '127.0.0.1', status }));

const HOST = { registration: () => 'registered', onlyPassing: false };
const WEB = { name: 'web-1', env: { SERVICE_NAME: 'web', SERVICE_TAGS: 'v1' }, ports: [80] };

describe('a name to explain', () => {
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
    expect(parseServiceQuery(text)).toEqual({ name, tag });
  });
});

describe('why a name answers', () => {
  it('is explained with container, address, reason and registration', () => {
    const reports = [report(WEB), report({ id: containerId('b'), env: { SERVICE_NAME: 'other' } })];
    const { answers, here, nothing } = explain(parseServiceQuery('v1.web'), reports, seen(reports), HOST);
    expect(answers).toEqual(['10.2.1.1']);
    expect(nothing).toBeUndefined();
    expect(here).toMatchObject([
      { containerName: 'web-1', announced: '10.2.1.1: test', registration: 'registered', answers: true },
    ]);
  });

  it('is explained with the addresses of both families', () => {
    const reports = [report({ ...WEB, ipv6: 'fd00::1' })];
    const { answers, here } = explain(parseServiceQuery('web'), reports, seen(reports), HOST);
    expect(answers).toEqual(['10.2.1.1', 'fd00::1']);
    expect(here).toMatchObject([{ announced: '10.2.1.1 and fd00::1: test' }]);
  });

  it('names a container that is not registered because of SERVICE_IGNORE', () => {
    const hidden = report({ ...WEB, env: { ...WEB.env, SERVICE_IGNORE: '1' } });
    expect(hidden.services).toEqual([]);
    const { answers, here } = explain(parseServiceQuery('web'), [hidden], [], HOST);
    expect(answers).toEqual([]);
    expect(here).toMatchObject([{ containerName: 'web-1', why: 'SERVICE_IGNORE is set' }]);
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
    const { answers, elsewhere } = explain(parseServiceQuery('web'), [], found, HOST);
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
  ])('%s', (_, options, why) => {
    const reports = [report(options)];
    const { answers, here, nothing } = explain(parseServiceQuery('web'), reports, seen(reports), HOST);
    expect(answers).toEqual([]);
    expect(here).toMatchObject([{ answers: false, registration: 'not registered' }]);
    expect(here[0]?.why).toContain(why);
    expect(nothing).toContain('none of the instances of web answers');
  });

  it('its service has another tag', () => {
    const reports = [report(WEB)];
    const { here } = explain(parseServiceQuery('v2.web'), reports, seen(reports), HOST);
    expect(here[0]?.why).toBe('it does not have the tag v2; its tags: v1');
  });

  const CHECKED = report({ ...WEB, env: { ...WEB.env, SERVICE_CHECK_TCP: '1', SERVICE_CHECK_TTL: '10s' } });
  const [tcp, ttl] = CHECKED.services.flatMap(({ checks }) => checks.map(({ id, name }) => ({ id, name })));
  const serf = { id: 'serfHealth', name: 'Serf Health Status' };

  it.each<[string, Instance['status'], readonly CheckState[], string | undefined, string[]]>([
    ['all pass', 'passing', [], undefined, ['tcp check: passing', 'ttl check: passing']],
    [
      'one is critical',
      'critical',
      [{ ...(tcp as typeof serf), status: 'critical' }],
      'tcp check is critical',
      ['tcp check: critical', 'ttl check: passing'],
    ],
    [
      'one warns',
      'warning',
      [{ ...(ttl as typeof serf), status: 'warning' }],
      undefined,
      ['tcp check: passing', 'ttl check: warning'],
    ],
    [
      'one warns, another is critical',
      'critical',
      [
        { ...(tcp as typeof serf), status: 'warning' },
        { ...(ttl as typeof serf), status: 'critical' },
      ],
      'ttl check is critical',
      ['tcp check: warning', 'ttl check: critical'],
    ],
    [
      "its node's is critical",
      'critical',
      [{ ...serf, status: 'critical' }],
      'Serf Health Status is critical',
      ['tcp check: passing', 'ttl check: passing', 'Serf Health Status: critical'],
    ],
  ])('of its checks %s', (_, status, unwell, why, states) => {
    const found = seen([CHECKED], status).map((instance) => ({ ...instance, unwell }));
    const { here } = explain(parseServiceQuery('web'), [CHECKED], found, HOST);
    expect(here[0]?.why).toBe(why);
    expect(here[0]?.checks.map(({ name, status }) => `${name}: ${status}`)).toEqual(states);
  });

  it('a check warns, with --only-passing', () => {
    const found = seen([CHECKED], 'warning').map((instance) => ({
      ...instance,
      unwell: [{ ...(ttl as typeof serf), status: 'warning' as const }],
    }));
    const host = { ...HOST, onlyPassing: true };
    const { answers, here, nothing } = explain(parseServiceQuery('web'), [CHECKED], found, host);
    expect(answers).toEqual([]);
    expect(here[0]?.why).toBe('ttl check is warning, and --only-passing omits it');
    expect(nothing).toContain('none of the instances of web answers');
    expect(explain(parseServiceQuery('web'), [], found, host).answers).toEqual([]);
    expect(explain(parseServiceQuery('web'), [], found, HOST).answers).toEqual(['10.2.1.1']);
  });

  it('the registry does not have it', () => {
    const { here } = explain(parseServiceQuery('web'), [CHECKED], [], HOST);
    expect(here[0]?.why).toBe('the registry, which runs its checks, does not list it');
    expect(here[0]?.checks.map(({ status }) => status)).toEqual(['unknown', 'unknown']);
    const unchecked = [report(WEB)];
    expect(explain(parseServiceQuery('web'), unchecked, [], HOST).here[0]?.why).toBe(
      'the registry rejected it',
    );
  });

  it('no service has the name, and the existing ones are listed', () => {
    const reports = [report(WEB)];
    expect(explain(parseServiceQuery('wbe'), reports, [], HOST).nothing).toBe(
      'no service is called wbe; services of this host: web',
    );
  });
});
