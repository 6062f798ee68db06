import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import dnsPacket from 'dns-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { NameService } from '../../src/dns/name-service.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { frame } from '../../src/dns/wire/frames.ts';
import { queryBytes } from '../dns/ask.ts';
import { mutated, QUESTIONS } from '../dns/mutated.ts';
import { nameServiceNeeds } from '../dns/name-service-needs.ts';
import { RecordedView } from '../dns/recorded-view.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../dns/upstream.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { exchange } from '../support/exchange.ts';
import { heapMib } from '../support/memory.ts';
import { randomFrom, seeds } from '../support/random.ts';

/** The resolver as the daemon puts it together, on real sockets, asked by clients that send anything. */

const PORT = 5355;
const [seed = 0] = seeds(1);
const random = randomFrom(seed);
const below = (limit: number) => Math.floor(random() * limit);
const anyPacket = () => mutated(QUESTIONS[below(QUESTIONS.length)] as Buffer, below);
/** Packets sent before the test waits for the answer to the good one among them. */
const AT_ONCE = 50;
/**
 * Upstreams and caches have bounds of their own, which these packets do not reach: answers to questions that are
 * unlike each other are kept, at some 700 bytes each. A leak would be more.
 */
const GROWTH_MIB = count(40, 100);

let upstream: FakeUpstream;
let names: NameService;
beforeAll(async () => {
  upstream = await FakeUpstream.start((query) => [mutated(replyTo(query, manyAddresses(below(30))), below)]);
  const server = `127.0.0.1:${upstream.address.port}`;
  const { settings } = await loadSettings({
    flags: {
      ...{ dns: false, dnsListen: `127.0.0.1:${PORT}`, resolvConf: '/dev/null', consulDns: server },
      forward: ['com', 'arpa', 'local'].map((domain) => `${domain}=${server}`),
    },
    env: {},
  });
  const table = new NameTable();
  table.set('a', [{ name: 'front.weave.local', ip: '10.2.1.1', explicit: false }]);
  const body = (ID: string, Address: string) => ({ ID, Name: ID, Address });
  const view = new RecordedView([
    { via: 'agent-service', body: body('web', '10.2.1.1') },
    { via: 'agent-service', body: body('host', 'backend.example.com') },
    { via: 'agent-service', body: body('alias', 'web.service.consul') },
  ]);
  names = new NameService(nameServiceNeeds({ view, names: table }), settings);
  await names.start();
});
afterAll(async () => {
  await names?.stop();
  await upstream?.[Symbol.asyncDispose]();
});

/** A query that is answered at once and in full, whatever was sent before it. */
async function isWell(transport: 'udp' | 'tcp'): Promise<void> {
  const good = queryBytes('web.service.consul', 'A', { id: below(0x10000) });
  const { id, answers } = dnsPacket.decode(await exchange(PORT, good, transport));
  expect([id, answers], `seed ${seed}`).toMatchObject([good.readUInt16BE(0), [{ data: '10.2.1.1' }]]);
  upstream.seen.length = 0;
}

test('no datagram stops the server or leaves memory behind', { timeout: 600_000 }, async () => {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  socket.connect(PORT, '127.0.0.1');
  await once(socket, 'connect');
  const round = async () => {
    for (let sent = 0; sent < AT_ONCE; sent += 1) socket.send(anyPacket());
    await isWell('udp');
  };
  for (let warm = 0; warm < 20; warm += 1) await round();
  const before = heapMib();
  for (let rounds = count(40, 2_000); rounds > 0; rounds -= 1) await round();
  socket.close();
  expect(heapMib() - before, `seed ${seed}`).toBeLessThan(GROWTH_MIB);
});

test('no data on a connection affects more than that connection', { timeout: 600_000 }, async () => {
  const round = async () => {
    const bytes = Buffer.concat(Array.from({ length: AT_ONCE }, () => frame(anyPacket())));
    const socket = connect(PORT, '127.0.0.1');
    socket.on('error', () => {}).resume();
    // Sent in two pieces, a fault in the lengths between them now and then.
    const at = below(bytes.length);
    socket.write(mutated(bytes.subarray(0, at), below));
    socket.end(bytes.subarray(at));
    // One client's connections, including those whose queries wait for other servers.
    await eventually(() => isWell('tcp'), { within: 20_000 });
    socket.destroy();
  };
  for (let warm = 0; warm < 10; warm += 1) await round();
  const before = heapMib();
  for (let rounds = count(20, 1_000); rounds > 0; rounds -= 1) await round();
  expect(heapMib() - before, `seed ${seed}`).toBeLessThan(GROWTH_MIB);
});
