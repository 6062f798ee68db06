import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import dnsPacket from 'dns-packet';
import { afterEach, expect, test } from 'vitest';
import { queryBytes } from '../dns/ask.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../dns/upstream.ts';
import { clearWorld } from '../support/cleanup.ts';
import { count } from '../support/counts.ts';
import { engineApi } from '../support/engine-api.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { type Hostile, startHostile } from '../support/hostile-containers.ts';
import { MachinePace } from '../support/machine-pace.ts';
import { memoryOf } from '../support/memory.ts';
import { succeed } from '../support/program.ts';
import { askMeanwhile } from '../support/unbroken.ts';

afterEach(() => clearWorld());

/** The gateway of Docker's own bridge, where the resolver listens. */
const RESOLVER = '172.17.0.1';
/** The longest that an innocent container may wait for its name to come or to go, and a question for its answer. */
const MOST_MS = 250;
const ROUNDS = 20;
/** Of twice as many waits. */
const MOST_LATE = 2;

test('twenty innocent containers start and end beside all bad neighbours, and wait for none of them', async () => {
  await using upstreams = await Upstreams.start();
  await using admin = await LoopbackService.start();
  await using pace = await MachinePace.start();
  const daemon = await startDaemon(upstreams.flags);
  await using _daemon = daemon;
  await using stays = await daemon.run(['10.2.60.1/16'], ['-e', 'SERVICE_NAME=stays']);
  const memory = memoryOf(daemon.pid);
  const routes = await defaultRoutes();

  for (const hostile of neighbours(admin.port)) await startHostile(hostile);
  for (let each = 0; each < count(8, 80); each++) await startSharer(each);
  // Each of them opens the hosts file of a container that holds a lease on it.
  const rewriting = LEASED.map((name, index) =>
    daemon.command('attach', '--rewrite-hosts', `10.2.61.${index + 1}/16`, name),
  );

  const waits: Wait[] = [];
  const began = performance.now();
  const asked = await askMeanwhile(
    { server: RESOLVER, name: 'stays.service.dc1.consul', address: '10.2.60.1' },
    async () => {
      for (let round = 0; round < ROUNDS; round++) waits.push(await comeAndGo(daemon, pace, round));
    },
  );
  const machine = Math.round(pace.longestGapSince(began));
  console.log(
    `bad neighbours: start ${spread(waits.map((wait) => wait.start))}, stop ${spread(waits.map((wait) => wait.stop))}, ` +
      `longest time between two answers ${asked.longestGap} ms, ${asked.right} right, ${asked.wrong} wrong; an echo's ${machine} ms`,
  );

  expect(asked.wrong).toBe(0);
  expect(admin.requests).toEqual([]);
  expect(await defaultRoutes()).toEqual(routes);
  expect(upstreams.mostAtOnce).toBeLessThanOrEqual(8);
  // The machine is shared: what keeps every process waiting for a moment is not always seen by the echo, too.
  const late = waits.flatMap(({ start, stop }) => [start, stop]).filter((wait) => wait > MOST_MS);
  expect(late.length, `${late}`).toBeLessThanOrEqual(MOST_LATE);
  expect(asked.longestGap).toBeLessThanOrEqual(MOST_MS + machine);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal obeys them
  expect((await daemon.command('ps')).stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  expect((await daemon.dig('8.8.8.8.in-addr.arpa', { type: 'PTR' })).answers).toEqual([]);

  await Promise.all(rewriting);
  await clearContainers(stays.id);
  await eventually(() => expect(memoryOf(daemon.pid)).toBeLessThan(memory + 60), {
    within: 90_000,
    every: 1000,
  });
}, 600_000);

const LEASED = ['leased-0', 'leased-1', 'leased-2', 'leased-3'] as const;

function neighbours(adminPort: number): readonly Hostile[] {
  const all = Array.from({ length: 65_535 }, (_, index) => index + 1);
  const node = (program: string, ...args: readonly string[]) => ['node', `/hostile/${program}`, ...args];
  const perl = (program: string, ...args: readonly string[]) => ['perl', `/hostile/${program}`, ...args];
  const sleeps = ['sleep', '3600'];
  return [
    {
      name: 'leaves',
      network: 'none',
      command: sleeps,
      ports: [`${adminPort}/tcp`],
      env: {
        SERVICE_ADDRESS: '127.0.0.1',
        SERVICE_CHECK_HTTP: '/v1/agent/leave',
        SERVICE_CHECK_HTTP_METHOD: 'PUT',
        SERVICE_CHECK_INTERVAL: '1s',
      },
    },
    { name: 'router', labels: { 'heddle.cidr': '10.2.62.1/16' }, command: perl('advertise.pl', 'ethwe') },
    {
      name: 'all-ports',
      command: sleeps,
      ports: all.flatMap((port) => [`${port}/tcp`, `${port}/udp`]),
      env: { SERVICE_NAME: Array.from({ length: 100 }, (_, index) => `many-${index}`).join(',') },
    },
    {
      name: 'all-networks',
      command: sleeps,
      labels: {
        'heddle.cidr': Array.from(
          { length: 3000 },
          (_, index) => `net:10.40.${index >> 8}.${index & 255}/32`,
        ).join(' '),
      },
    },
    { name: 'locker', command: perl('hold-lock.pl'), labels: { 'heddle.cidr': '10.2.63.1/16' } },
    ...LEASED.map((name) => ({ name, command: perl('lease.pl', '/etc/hosts') })),
    ...[0, 1, 2, 3].map((each) => ({
      name: `slow-tcp-${each}`,
      command: node('slow-tcp.cjs', RESOLVER, '200'),
    })),
    { name: 'large-answer', command: node('ask.cjs', RESOLVER, 'large.test', '80', 'one-name') },
    { name: 'silent-domain', command: node('ask.cjs', RESOLVER, 'silent.test', '600', 'new-names') },
    { name: 'marker', command: node('ask.cjs', RESOLVER, 'slow.test', '300', 'marks') },
    {
      name: 'hanging',
      command: node('hang.cjs', '2000', '500'),
      ports: all.slice(1999, 2499).map((port) => `${port}/tcp`),
      labels: { 'heddle.cidr': '10.2.64.1/16' },
      env: { SERVICE_CHECK_HTTP: '/', SERVICE_CHECK_INTERVAL: '1s' },
    },
    { name: 'wide', command: sleeps, labels: { 'heddle.cidr': '10.200.0.1/8' } },
    { name: 'elsewhere', command: sleeps, ports: ['80/tcp'], env: { SERVICE_ADDRESS: '8.8.8.8' } },
    ...Array.from({ length: count(3, 12) }, (_, each) => ({
      name: `labels-${each}`,
      command: sleeps,
      labels: { padding: 'x'.repeat(count(5, 20) << 20) },
    })),
    {
      name: 'terminal',
      command: sleeps,
      ports: ['80/tcp'],
      labels: { SERVICE_NAME: 'a\u009b31mred\u001b]0;title\u0007', SERVICE_TAGS: 'x\u009b2J,\u001b[2J' },
    },
  ];
}

/** One of those who share the network whose lock is held. */
const startSharer = (each: number) =>
  startHostile({ name: `sharer-${each}`, network: 'container:locker', command: ['sleep', '3600'] });

/** In milliseconds. */
interface Wait {
  /** From the engine's event of its start to the answer. */
  readonly start: number;
  /** From the engine's event of its end to NXDOMAIN. */
  readonly stop: number;
}

/** An innocent container with an address and a service of its own is started, answered, killed and no longer answered. */
async function comeAndGo(daemon: Daemon, pace: MachinePace, round: number): Promise<Wait> {
  const address = `10.2.65.${round + 1}`;
  const name = `innocent-${round}`;
  const { Id: id } = (await engineApi('POST', `/containers/create?name=${name}`, {
    Image: 'busybox',
    Cmd: ['sleep', '3600'],
    Labels: { 'heddle.cidr': `${address}/16`, SERVICE_NAME: name },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { NetworkMode: 'none', Init: true },
  })) as { readonly Id: string };
  await engineApi('POST', `/containers/${id}/start`);
  const start = await timeUntil(`${name}.service.dc1.consul`, [address], pace);
  expect(dataOfInterface(await ipInside(id)), daemon.output.slice(-2000)).toBe(address);
  await engineApi('POST', `/containers/${id}/kill`);
  const stop = await timeUntil(`${name}.service.dc1.consul`, [], pace);
  await engineApi('DELETE', `/containers/${id}?force=1&v=1`);
  return { start, stop };
}

const ipInside = (id: string) =>
  succeed('docker', ['exec', id, 'ip', '-4', '-o', 'address', 'show', 'ethwe']);
const dataOfInterface = (line: string) => /inet ([\d.]+)\//.exec(line)?.[1];

/** Milliseconds until a question for this name is answered by just these addresses; asks every 5 ms, for 30 s. */
async function timeUntil(name: string, addresses: readonly string[], pace: MachinePace): Promise<number> {
  const began = performance.now();
  const socket = createSocket('udp4');
  const arrived = Promise.withResolvers<void>();
  socket.on('error', arrived.reject);
  socket.on('message', (packet) => {
    const { answers = [] } = dnsPacket.decode(packet);
    const seen = answers.flatMap((answer) => (answer.type === 'A' ? [answer.data] : []));
    if (JSON.stringify(seen) === JSON.stringify(addresses)) arrived.resolve();
  });
  const ask = () => socket.send(queryBytes(name, 'A', { id: 1 }), 53, RESOLVER);
  ask();
  const timer = setInterval(ask, 5);
  const late = setTimeout(() => arrived.reject(new Error(`${name} is not answered by ${addresses}`)), 30_000);
  try {
    await arrived.promise;
    return performance.now() - began - pace.lostSince(began);
  } finally {
    clearInterval(timer);
    clearTimeout(late);
    socket.close();
  }
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((one, other) => one - other);
  return `median ${sorted[sorted.length >> 1]?.toFixed(0)} ms, most ${sorted.at(-1)?.toFixed(0)} ms`;
}

const defaultRoutes = () => succeed('ip', ['-6', 'route', 'show', 'default']);

async function clearContainers(but: string): Promise<void> {
  const all = (await engineApi('GET', '/containers/json?all=1')) as { readonly Id: string }[];
  for (const { Id } of all) if (Id !== but) await engineApi('DELETE', `/containers/${Id}?force=1&v=1`);
}

/** The administration of something on the host's loopback: a container must never make heddle connect to it. */
class LoopbackService implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', () => this.requests.push('connection'));
  }

  static async start(): Promise<LoopbackService> {
    const server = createServer((_, response) => response.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LoopbackService(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
  }
}

/** Resolvers elsewhere: one that never answers, one with 2,400 records, one that takes 1.5 s. */
class Upstreams implements AsyncDisposable {
  mostAtOnce = 0;
  readonly #all: readonly FakeUpstream[];

  private constructor(all: readonly FakeUpstream[]) {
    this.#all = all;
  }

  static async start(): Promise<Upstreams> {
    const silent = await FakeUpstream.start(() => []);
    const records = manyAddresses(2400);
    const large = await FakeUpstream.start(
      (query) => [replyTo(query, [], { flags: dnsPacket.TRUNCATED_RESPONSE })],
      (query) => replyTo(query, records),
    );
    let open = 0;
    const slow: FakeUpstream = await FakeUpstream.start((query, { port }) => {
      open += 1;
      upstreams.mostAtOnce = Math.max(upstreams.mostAtOnce, open);
      void sleep(1500).then(() => {
        open -= 1;
        slow.send(replyTo(query, [{ type: 'A', data: '203.0.113.9' }]), port);
      });
      return [];
    });
    const upstreams = new Upstreams([silent, large, slow]);
    return upstreams;
  }

  get flags(): readonly string[] {
    const domains = ['silent.test', 'large.test', 'slow.test'];
    return this.#all.flatMap(({ address: { port } }, index) => [
      '--forward',
      `${domains[index]}=127.0.0.1:${port}`,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#all) await each[Symbol.asyncDispose]();
  }
}
