import { describe, expect, test } from 'vitest';
import { bothResolvers, serviceName } from '../support/both-resolvers.ts';
import { ConsulAgent } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, restartEngine, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { scenario } from '../support/scenario.ts';
import { expectConsistent } from '../support/truth.ts';

describe.each(['the embedded registry', 'Consul'])('with %s', (registry) => {
  const consul = registry === 'Consul' ? new ConsulAgent() : undefined;
  const { daemon } = scenario({ consul, flags: consul === undefined ? [] : ['--registry', consul.uri] });
  const { everywhere, answers } = bothResolvers(daemon, consul);

  const gone = (name: string) =>
    everywhere(serviceName(name), 'A', (reply) =>
      expect(reply).toMatchObject({ status: 'NXDOMAIN', answers: [] }),
    );

  test('two containers of one service answer with both weave addresses, and SRV with their ports', async () => {
    const flags = ['-e', 'SERVICE_NAME=web', '--expose', '80'];
    await Promise.all(['10.2.1.1/16', '10.2.1.2/16'].map((address) => daemon.run([address], flags)));
    await answers('web', '10.2.1.1', '10.2.1.2');
    await everywhere(serviceName('web'), 'SRV', (reply) => {
      expect(dataOf(reply)).toEqual(['1 1 80 0a020101.addr.dc1.consul.', '1 1 80 0a020102.addr.dc1.consul.']);
      expect(
        reply.additional
          .filter(({ type }) => type === 'A')
          .map(({ data }) => data)
          .sort(),
      ).toEqual(['10.2.1.1', '10.2.1.2']);
    });
    await everywhere(serviceName('web'), 'ANY', (reply) =>
      expect(dataOf(reply)).toEqual(['10.2.1.1', '10.2.1.2']),
    );
    await everywhere(serviceName('WEB'), 'A', (reply) =>
      expect(dataOf(reply)).toEqual(['10.2.1.1', '10.2.1.2']),
    );
  });

  test('a container that is attached after its start is corrected to its weave address', async () => {
    await using late = await runContainer(['-e', 'SERVICE_NAME=late', '--expose', '80']);
    const { status, stdout } = await daemon.command('attach', '10.2.1.5/16', late.name);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '10.2.1.5\n' });
    await answers('late', '10.2.1.5');
  });

  test('a container that is about to be attached is registered once, with its final address', async () => {
    await using due = await daemon.run(['10.2.1.6/16'], ['-e', 'SERVICE_NAME=due', '--expose', '80']);
    await answers('due', '10.2.1.6');
    if (consul === undefined) return;
    const [entry] =
      await consul.get<{ CreateIndex: number; ModifyIndex: number }[]>('/v1/catalog/service/due');
    expect(entry?.ModifyIndex).toBe(entry?.CreateIndex);
    // Consul logs a service after it serves it.
    await eventually(() => {
      const lines = consul.output.split('\n').filter((line) => line.includes(due.id.slice(0, 12)));
      expect(lines.filter((line) => /deregister/i.test(line))).toEqual([]);
      expect(lines.filter((line) => line.includes('Synced service:'))).toHaveLength(1);
    });
  });

  test("a Marathon app's place in the hierarchy is its name, dotted and dashed", async () => {
    await using _app = await daemon.run(['10.2.1.3/16'], ['-e', 'MARATHON_APP_ID=/web/customer1/site1']);
    await answers('site1.customer1.web', '10.2.1.3');
    await answers('site1-customer1.web', '10.2.1.3');
    await answers('web', '10.2.1.3');
    await gone('customer1.web');
  });

  test('tags are asked for before the name, labels beat the environment, and a port can have its own name', async () => {
    await using _blue = await daemon.run(
      ['10.2.1.7/16'],
      [
        ...['-e', 'SERVICE_NAME=wrong', '--label', 'SERVICE_NAME=shop', '-e', 'SERVICE_TAGS=v1,blue'],
        ...['--expose', '80', '--expose', '443', '-e', 'SERVICE_443_NAME=tls'],
      ],
    );
    await answers('blue.shop-80', '10.2.1.7');
    await everywhere(serviceName('tls'), 'SRV', (reply) =>
      expect(dataOf(reply)).toEqual(['1 1 443 0a020107.addr.dc1.consul.']),
    );
    await gone('green.shop-80');
    await gone('wrong');
  });

  test('a container with SERVICE_IGNORE is not registered', async () => {
    await Promise.all([
      daemon.run(['10.2.1.8/16'], ['-e', 'SERVICE_NAME=hidden', '-e', 'SERVICE_IGNORE=true']),
      daemon.run(['10.2.1.9/16'], ['-e', 'SERVICE_NAME=seen']),
    ]);
    await answers('seen', '10.2.1.9');
    await gone('hidden');
  });

  test('a killed, a stopped, a removed and a paused container are gone; a started one is back', async () => {
    const flags = ['-e', 'SERVICE_NAME=mortal'];
    const run = (address: string) => daemon.run([`${address}/16`], flags);
    const [killed, stopped, paused, removed] = await Promise.all([
      run('10.2.1.11'),
      run('10.2.1.12'),
      run('10.2.1.13'),
      run('10.2.1.14'),
    ]);
    await answers('mortal', '10.2.1.11', '10.2.1.12', '10.2.1.13', '10.2.1.14');
    await Promise.all([
      killed.kill(),
      docker('stop', stopped.id),
      docker('pause', paused.id),
      removed[Symbol.asyncDispose](),
    ]);
    await gone('mortal');
    await docker('unpause', paused.id);
    await docker('start', killed.id);
    await answers('mortal', '10.2.1.11', '10.2.1.13');
  });

  test('a container that lives for a moment leaves nothing behind', async () => {
    const fleet = new Fleet('10.2.3');
    const names = Array.from({ length: count(10, 50) }, (_, index) => `flash-${index}`);
    await fleet.startAll(names, { command: ['true'], host: { AutoRemove: true } });
    await fleet.start('after');
    await eventually(async () => expect(await fleet.running()).toHaveLength(1));
    await expectConsistent({ fleet, daemon, ...(consul && { consul }) });
  });

  test('twenty of many containers started and killed at once: none is missing and none is stale', async () => {
    const fleet = new Fleet('10.2.4');
    const twenties = Array.from({ length: count(1, 6) }, (_, batch) =>
      Array.from({ length: 20 }, (_, index) => `burst-${batch}-${index}`),
    );
    for (const names of twenties) await fleet.startAll(names);
    expect(await fleet.running()).toHaveLength(20 * twenties.length);
    await expectConsistent({ fleet, daemon, ...(consul && { consul }) });
    for (const names of twenties) await fleet.end(...names);
    expect(await fleet.running()).toEqual([]);
    await expectConsistent({ fleet, daemon, ...(consul && { consul }) });
  });

  test('SIGHUP makes heddle scan every container and compare the registry at once', async () => {
    const passes = async () => {
      const { stdout } = await daemon.command('status', '--format', 'json');
      const { docker: engine, registry: held } = JSON.parse(stdout) as {
        readonly docker: { readonly follower: { readonly lastFullPass: string } };
        readonly registry: { readonly lastPass: string };
      };
      return [engine.follower.lastFullPass, held.lastPass].map((time) => Date.parse(time));
    };
    const sent = Date.now();
    process.kill(daemon.pid, 'SIGHUP');
    // Otherwise all containers are scanned once a minute.
    await eventually(async () => {
      for (const pass of await passes()) expect(pass).toBeGreaterThanOrEqual(sent);
    });
  });

  test('a daemon that is killed and restarted sees what came and went meanwhile', async () => {
    await using stays = await daemon.run(['10.2.1.21/16'], ['-e', 'SERVICE_NAME=stays']);
    await using goes = await daemon.run(['10.2.1.22/16'], ['-e', 'SERVICE_NAME=goes']);
    await answers('goes', '10.2.1.22');
    await daemon.kill();
    await goes.kill();
    await using _comes = await runContainer([
      '--label',
      'heddle.cidr=10.2.1.23/16',
      '-e',
      'SERVICE_NAME=comes',
    ]);
    await daemon.start();
    await answers('stays', '10.2.1.21');
    await answers('comes', '10.2.1.23');
    await gone('goes');
    expect(await stays.pid()).toBeGreaterThan(0);
  });

  test('a daemon that is stopped in order leaves the registrations of living containers', async () => {
    await using _kept = await daemon.run(['10.2.1.24/16'], ['-e', 'SERVICE_NAME=kept']);
    await answers('kept', '10.2.1.24');
    expect(await daemon.stop()).toBe(0);
    if (consul !== undefined) {
      expect(dataOf(await dig(serviceName('kept'), { port: consul.dnsPort }))).toEqual(['10.2.1.24']);
    }
    await daemon.start();
    await answers('kept', '10.2.1.24');
  });

  // 520_faults_docker.test.ts covers this with Consul.
  if (consul !== undefined) return;

  test('a restarted Docker engine is followed again, by the same daemon', async () => {
    await using _before = await daemon.run(['10.2.1.25/16'], ['-e', 'SERVICE_NAME=before']);
    await answers('before', '10.2.1.25');
    const { pid } = daemon;
    await restartEngine();
    await using _after = await daemon.run(['10.2.1.26/16'], ['-e', 'SERVICE_NAME=after']);
    await answers('after', '10.2.1.26');
    await gone('before');
    expect(daemon.pid).toBe(pid);
  });
});
