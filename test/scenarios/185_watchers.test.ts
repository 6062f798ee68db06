import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent, type HealthEntry } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { dataOf } from '../support/dig.ts';
import { Container, docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';

const NETWORK = 'further';

/** The full run does it in both. */
const MODES = ['agent', 'catalog'].slice(0, count(1, 2));

describe.each(MODES)("in Consul's %s mode", (mode) => {
  const consul = new ConsulAgent();
  // The network has no container only when the world is cleared.
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

  /** Every state of a service that a watcher (a blocking query) is told of, from now on: `10.2.1.1, 10.2.1.2 critical`. */
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

  /** Whatever happens to a container and changes nothing of its service. */
  async function disturb(container: Container): Promise<void> {
    await docker('rename', container.id, `again-${container.name}`);
    await docker('network', 'connect', NETWORK, container.id);
    await docker('network', 'disconnect', NETWORK, container.id);
    await docker('update', '--cpu-shares', '512', container.id);
  }

  test('a watcher is told nothing of what changes nothing: renames, networks, full passes, restarts and a crash of heddle', async () => {
    await using web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
    await eventually(async () => expect(stateOf(await entries('web'))).toBe('10.2.1.1'));
    const [before] = await entries('web');
    const watcher = await watch('web');
    await disturb(web);
    process.kill(daemon.pid, 'SIGHUP');
    await eventually(() => expect(daemon.said('SIGHUP received: scanning everything')).toBe(true));
    await daemon.restart();
    await daemon.kill();
    await daemon.start();
    await sleep(500);
    expect((await entries('web')).map(({ Service }) => Service)).toEqual([before?.Service]);

    // What is corrected, in place: a second address goes unseen, and the loss of the first one changes the entry.
    expect((await daemon.command('attach', '10.2.1.2/16', web.id)).status).toBe(0);
    expect((await daemon.command('detach', '10.2.1.1/16', web.id)).status).toBe(0);
    await watcher.sees('10.2.1.2');
    const [after] = await entries('web');
    const { ID, CreateIndex, ModifyIndex = 0 } = before?.Service ?? {};
    // The catalog takes the old entry out and the new one in, in one transaction.
    expect(after?.Service).toMatchObject(mode === 'agent' ? { ID, CreateIndex } : { ID });
    expect(after?.Service.ModifyIndex).toBeGreaterThan(ModifyIndex);
    expect(await watcher.stop()).toEqual(['10.2.1.1', '10.2.1.2']);
  });

  test('a watcher is told of each change of a container once, and nothing of its neighbour', async () => {
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

  test('what a rename or a network changes of a service is corrected in place, and its check goes on passing', async () => {
    // An image that is called by its id names nothing: the container's own name is the service's.
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

  test('tags that others gave stand, whatever else changes of the service', async () => {
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
