import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Heartbeats } from '../../../src/checks/heartbeats.ts';
import type { Health } from '../../../src/docker/snapshot.ts';
import { parseCidr } from '../../../src/network/cidr.ts';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../../src/registry/reconcile/reconciler.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { define } from '../../../src/services/define.ts';
import type { CheckKind } from '../../../src/services/service.ts';
import { ConsulAgent } from '../../support/consul.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { entryOf } from '../../support/roster.ts';
import { closeClients, consulAt, HOST, lookupsAt } from './subjects.ts';

afterAll(closeClients);

describe('a real agent', () => {
  test('accepts every kind of check that it is expected to run', async () => {
    const agent = new ConsulAgent({ portOffset: 11_000, configuration: 'enable_script_checks = true' });
    await agent.start();
    const registry = consulAt(agent.httpPort, HOST);
    const web = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
    try {
      expect(await registry.identity.read()).toMatchObject({
        address: '127.0.0.1',
        datacenter: 'dc1',
        version: '1.8.7',
      });
      const lookups = lookupsAt(agent.httpPort);
      const runs = (kind: CheckKind['kind']) => registry.runs(kind);
      expect((['http', 'tcp', 'grpc', 'script', 'docker'] as const).filter(runs)).toHaveLength(5);
      expect((['udp', 'h2ping'] as const).filter(runs)).toEqual([]);
      const kinds = ['HTTP', 'HTTPS', 'TCP', 'UDP', 'GRPC', 'H2PING', 'SCRIPT', 'CMD', 'DOCKER'];
      const env = {
        ...Object.fromEntries(kinds.map((kind) => [`SERVICE_81_CHECK_${kind}`, '/x'])),
        SERVICE_80_CHECK_TCP: 'true',
        SERVICE_CHECK_INTERVAL: '1s',
        SERVICE_CHECK_TIMEOUT: '1s',
        SERVICE_CHECK_DEREGISTER_AFTER: '10m',
        SERVICE_80_NAME: 'up',
        SERVICE_81_NAME: 'down',
      };
      const { port } = web.address() as AddressInfo;
      const entry = entryOf({ env, ip: '127.0.0.1', ports: [`80>${port}`, '81>1'], hostPorts: true });
      // This agent would follow redirects of a container.
      expect(registry.heddleRuns('http')).toBe(true);
      const heddleRuns = (kind: CheckKind['kind']) => registry.heddleRuns(kind);
      const checkBounds = { allowed: [parseCidr('127.0.0.0/8')] };
      const options = { hostId: HOST, runs, heddleRuns, allowScriptChecks: true, checkBounds };
      for (const { service } of define(entry, options).definitions) await registry.register(service);
      const checks = await agent.get<Record<string, unknown>>('/v1/agent/checks');
      expect(Object.keys(checks).map((id) => id.replace(/.*:/, ''))).toEqual([
        '80~tcp',
        ...['cmd', 'docker', 'grpc', 'http', 'https', 'script', 'tcp'].map((kind) => `81~${kind}`),
      ]);
      const types = Object.entries(checks as Record<string, { Type: string }>).map(
        ([id, { Type }]) => `${id.replace(/.*~/, '')} ${Type}`,
      );
      expect(types).toEqual(expect.arrayContaining(['http ttl', 'https ttl', 'tcp tcp']));
      const statusOf = async (name: string) => (await lookups.instances(name)).map(({ status }) => status);
      await vi.waitFor(async () => expect(await statusOf('up')).toEqual(['passing']), { timeout: 10_000 });
      expect(await statusOf('down')).toEqual(['critical']);
    } finally {
      web.close();
      await agent.stop();
    }
  });

  test.each([
    ['without its data', false],
    ['with its data', true],
  ])('has the health of containers at once, after a change, and after a restart %s', async (_, kept) => {
    await using folder = await temporaryFolder();
    const mode = ['-server', '-bootstrap-expect=1', `-data-dir=${folder.path}`];
    const agent = new ConsulAgent({ portOffset: 11_000, ...(kept && { mode }) });
    await agent.start();
    const registry = consulAt(agent.httpPort, HOST);
    const desired = new Desired({ log: silentLogger }, { hostId: HOST, runs: (kind) => registry.runs(kind) });
    const reconciler = new Reconciler({ registry, desired, log: silentLogger });
    const heartbeats = new Heartbeats({ desired, beat: (id) => reconciler.keepAlive(id) });
    const run = (health: Health) =>
      desired.set(entryOf({ health, env: { SERVICE_NAME: 'web', SERVICE_CHECK_TTL: '2s' } }));
    const says = async (expected: string) =>
      expect((await lookupsAt(agent.httpPort).instances('web')).map(({ status }) => status)).toEqual([
        expected,
      ]);
    try {
      heartbeats.start();
      await reconciler.start();
      run('starting');
      await reconciler.flush();
      await says('warning');
      run('healthy');
      await reconciler.flush();
      await says('passing');
      // Longer than the TTL: only heartbeats keep the check passing.
      await delay(3000);
      await says('passing');
      run('unhealthy');
      await reconciler.flush();
      await says('critical');
      run('healthy');
      await reconciler.flush();
      await agent.wipe();
      await vi.waitFor(() => says('passing'), { timeout: 5000 });
      expect(reconciler.status().errors.size).toBe(0);
    } finally {
      await heartbeats.stop();
      await reconciler.stop();
      await agent.stop();
    }
  });
});
