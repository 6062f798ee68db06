import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent, type HealthEntry } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { dataOf } from '../support/dig.ts';
import { Container, docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';

const NETWORK = 'further';

/** The full run covers both modes. */
const MODES = ['agent', 'catalog'].slice(0, count(1, 2));

describe.each(MODES)("in Consul's %s mode", (mode) => {
  const consul = new ConsulAgent();
  // Docker removes the network only after its containers, so after the world is cleared.
  afterAll(() => docker('network', 'rm', NETWORK));
  const { daemon } = scenario({
    consul,
    flags: [
      ...['--registry', consul.uri, '--consul-mode', mode],
      ...['--address', `ethwe,network:${NETWORK},internal`],
    ],
  });
  beforeAll(() => docker('network', 'create', NETWORK));

  const entries = (name: string) => consul.get<HealthEntry[]>(`/v1/health/service/${name}`);

  /** Every state of a service that a watcher (a blocking query) sees from now on: `10.2.1.1, 10.2.1.2 critical`. */
  async function watch(name: string) {
    const states: string[] = [];
    const over = new AbortController();
    const watching = (async () => {
      let index = '0';
      while (!over.signal.aborted) {
        const url = `${consul.url}/v1/health/service/${name}?index=${index}&wait=10s`;
        const response = await fetch(url, { signal: over.signal });
        index = response.headers.get('x-consul-index') ?? '0';
        const state = stateOf((await response.json()) as HealthEntry[]);
        if (state !== states.at(-1)) states.push(state);
      }
    })().catch((error: unknown) => {
      if (!over.signal.aborted) throw error;
    });
    const sees = (state: string) => eventually(() => expect(states.at(-1)).toBe(state), { within: 10_000 });
    const stop = async () => {
      over.abort();
      await watching;
      return states;
    };
    await eventually(() => expect(states).not.toEqual([]));
    return { sees, stop };
  }

  function stateOf(instances: readonly HealthEntry[]): string {
    const parts = instances.map(({ Service, Checks }) => {
      const failing = Checks.find(({ Status }) => Status !== 'passing');
      return failing === undefined ? Service.Address : `${Service.Address} ${failing.Status}`;
    });
    return parts.sort().join(', ');
  }

  /** Events of a container that change nothing in its service. */
  async function disturb(container: Container): Promise<void> {
    await docker('rename', container.id, `again-${container.name}`);
    await docker('network', 'connect', NETWORK, container.id);
    await docker('network', 'disconnect', NETWORK, container.id);
    await docker('update', '--cpu-shares', '512', container.id);
  }

  test('a watcher sees no change from renames, networks, full scans, restarts and a crash of heddle', async () => {
    await using web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
    await eventually(async () => expect(stateOf(await entries('web'))).toBe('10.2.1.1'));
    const [before] = await entries('web');
    const watcher = await watch('web');
    await disturb(web);
    process.kill(daemon.pid, 'SIGHUP');
    await eventually(() => expect(daemon.logged('SIGHUP received: scanning everything')).toBe(true));
    await daemon.restart();
    await daemon.kill();
    await daemon.start();
    await sleep(500);
    expect((await entries('web')).map(({ Service }) => Service)).toEqual([before?.Service]);

    // A second address changes nothing; the loss of the first one corrects the entry in place.
    expect((await daemon.command('attach', '10.2.1.2/16', web.id)).status).toBe(0);
    expect((await daemon.command('detach', '10.2.1.1/16', web.id)).status).toBe(0);
    await watcher.sees('10.2.1.2');
    const [after] = await entries('web');
    const { ID, CreateIndex, ModifyIndex = 0 } = before?.Service ?? {};
    // The catalog replaces the old entry by the new one in one transaction.
    expect(after?.Service).toMatchObject(mode === 'agent' ? { ID, CreateIndex } : { ID });
    expect(after?.Service.ModifyIndex).toBeGreaterThan(ModifyIndex);
    expect(await watcher.stop()).toEqual(['10.2.1.1', '10.2.1.2']);
  });

  test('a watcher sees each change of a container once, and none of its neighbour', async () => {
    const ill = '--health-cmd=test ! -f /ill --health-interval=1s --health-retries=1'.split(/ (?=--)/);
    await using patient = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=busy', ...ill]);
    await using other = await daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=busy']);
    const both = '10.2.1.1, 10.2.1.2';
    await eventually(async () => expect(stateOf(await entries('busy'))).toBe(both), { within: 10_000 });

    const watcher = await watch('busy');
    await docker('pause', other.id);
    await watcher.sees('10.2.1.1');
    await docker('unpause', other.id);
    await watcher.sees(both);
    await docker('restart', '--time', '0', other.id);
    await watcher.sees(both);
    await patient.exec('touch', '/ill');
    await watcher.sees('10.2.1.1 critical, 10.2.1.2');
    await Promise.all([disturb(patient), daemon.restart()]);
    await patient.exec('rm', '/ill');
    await watcher.sees(both);
    await other.kill();
    await watcher.sees('10.2.1.1');
    expect(await watcher.stop()).toEqual([
      ...[both, '10.2.1.1'], // paused
      ...[both, '10.2.1.1'], // restarted
      ...[both, '10.2.1.1 critical, 10.2.1.2'],
      ...[both, '10.2.1.1'],
    ]);
  });

  test('a rename or a network corrects a service in place, and its check stays passing', async () => {
    // An image without a name gives none to the service: the container's own name is used.
    const image = await docker('image', 'inspect', '--format', '{{.Id}}', 'busybox');
    const check = ['--expose', '80', '-e', 'SERVICE_CHECK_HTTP=/hosts', '-e', 'SERVICE_CHECK_INTERVAL=1s'];
    const serve = ['httpd', '-f', '-p', '80', '-h', '/etc'];
    const id = await docker('run', '-d', '--init', '--name', 'before', ...check, image, ...serve);
    await using container = new Container(id, 'before');
    const plain = await container.address();
    await eventually(async () => expect(stateOf(await entries('before'))).toBe(plain), { within: 10_000 });
    const [first] = await entries('before');

    const moving = await watch('before');
    await docker('network', 'connect', NETWORK, id);
    const format = `{{.NetworkSettings.Networks.${NETWORK}.IPAddress}}`;
    const further = await docker('inspect', '--format', format, id);
    await moving.sees(further);
    await docker('network', 'disconnect', NETWORK, id);
    await moving.sees(plain);
    expect(await moving.stop()).toEqual([plain, further, plain]);

    const [before, after] = [await watch('before'), await watch('after')];
    await docker('rename', id, 'after');
    await Promise.all([before.sees(''), after.sees(plain)]);
    expect(await Promise.all([before.stop(), after.stop()])).toEqual([
      [plain, ''],
      ['', plain],
    ]);
    expect((await entries('after'))[0]?.Service.ID).toBe(first?.Service.ID);
  });

  test('tags set by others stay, whatever else changes in the service', async () => {
    const tags = ['-e', 'SERVICE_TAGS=ours', '-e', 'SERVICE_ENABLE_TAG_OVERRIDE=true'];
    await using web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=retagged', ...tags]);
    const seen = async () =>
      (await entries('retagged')).map(({ Service: { Address, Tags } }) => [Address, ...Tags]);
    await eventually(async () => expect(await seen()).toEqual([['10.2.1.1', 'ours']]));
    await consul.retag('retagged', 'theirs');
    process.kill(daemon.pid, 'SIGHUP');
    await daemon.command('attach', '10.2.1.2/16', web.id);
    await daemon.command('detach', '10.2.1.1/16', web.id);
    await eventually(async () => expect(await seen()).toEqual([['10.2.1.2', 'theirs']]));
    await daemon.restart();
    expect(await seen()).toEqual([['10.2.1.2', 'theirs']]);
    const answers = async (tag: string) => dataOf(await daemon.dig(`${tag}.retagged.service.dc1.consul`));
    await eventually(async () => expect(await answers('theirs')).toEqual(['10.2.1.2']));
    expect(await answers('ours')).toEqual([]);
  });
});
