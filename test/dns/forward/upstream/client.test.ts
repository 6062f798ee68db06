import dnsPacket, { type DecodedPacket } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { UpstreamClient, type UpstreamClientOptions } from '../../../../src/dns/forward/upstream/client.ts';
import type { Upstream } from '../../../../src/dns/forward/upstreams.ts';
import { readQuery } from '../../../../src/dns/wire/message.ts';
import type { Question } from '../../../../src/dns/zone.ts';
import { eventually } from '../../../support/eventually.ts';
import { questionOf } from '../../question.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../../upstream.ts';

const question = questionOf('example.com');
const answering = () => FakeUpstream.start((query) => [replyTo(query, manyAddresses(1))]);
const answersIn = (message: Buffer) => dnsPacket.decode(message).answers?.length;

function asker(options: UpstreamClientOptions = {}) {
  // What is said must come in time on a busy machine, too.
  const client = new UpstreamClient({ timeoutMs: 5_000, headStartMs: 5_000, ...options });
  return {
    client,
    ask: (...servers: readonly (FakeUpstream | Upstream)[]) =>
      client.ask(question, {
        servers: servers.map((server) => ('address' in server ? server.address : server)),
      }),
  };
}

test('without a server, and with silent ones, a question fails with the reason', async () => {
  const { ask } = asker({ timeoutMs: 300 });
  await expect(ask()).rejects.toThrow(
    'no upstream server answered: no upstream server is configured (resolv.conf lists none but heddle)',
  );
  await using silent = await FakeUpstream.start(() => []);
  const { ip, port } = silent.address;
  await expect(ask(silent)).rejects.toThrow(`no upstream server answered: ${ip}:${port}: no answer in time`);
  expect(silent.seen.length).toBe(2);
});

test('a server that cannot be reached at all is passed over', async () => {
  await using server = await answering();
  // The discard prefix (RFC 6666) leads nowhere.
  expect(answersIn(await asker().ask({ ip: '100::1', port: 53 }, server))).toBe(1);
});

test('a packet that was lost is sent again', async () => {
  let lost = 0;
  await using server = await FakeUpstream.start((query) => {
    lost += 1;
    return lost === 1 ? [] : [replyTo(query, manyAddresses(1))];
  });
  expect(answersIn(await asker({ timeoutMs: 300 }).ask(server))).toBe(1);
  expect(server.seen.length).toBe(2);
});

test('servers are asked as often, and given as long, as their resolv.conf says', async () => {
  await using silent = await FakeUpstream.start(() => []);
  const { client } = asker({ timeoutMs: 60_000 });
  const upstreams = { servers: [silent.address], attempts: 3, timeoutMs: 50 };
  await expect(client.ask(question, upstreams)).rejects.toThrow('no answer in time');
  expect(silent.seen.length).toBe(3);
});

test('with `rotate` each question begins with the next server, without it with the first', async () => {
  await using first = await answering();
  await using second = await answering();
  const { client } = asker();
  const servers = [first.address, second.address];
  for (let turn = 0; turn < 10; turn += 1) await client.ask(question, { servers, rotate: true });
  expect([first.seen.length, second.seen.length]).toEqual([5, 5]);
  for (let turn = 0; turn < 10; turn += 1) await client.ask(question, { servers });
  expect([first.seen.length, second.seen.length]).toEqual([15, 5]);
});

test('a server from before EDNS is asked once more without', async () => {
  await using server = await FakeUpstream.start((query) => {
    const { additionals = [] } = query;
    if (additionals.length === 0) return [replyTo(query, manyAddresses(1))];
    return [replyTo({ ...query, additionals: [] }, [], { rcode: 1 })];
  });
  expect(answersIn(await asker().ask(server))).toBe(1);
  expect(server.seen.length).toBe(2);
});

describe('a server that answers in letters of its own, and not over TCP,', () => {
  const spelling = (spell: (name: string) => string) =>
    FakeUpstream.start((query) => {
      const questions = query.questions?.map((one) => ({ ...one, name: spell(one.name) })) ?? [];
      return [replyTo({ ...query, questions }, manyAddresses(1))];
    });
  const namesOf = ({ seen }: FakeUpstream) => seen.map(({ query }) => query.questions?.[0]?.name ?? '');
  const manyLetters = questionOf('A-Name-With-Many-Letters.example.com');

  test.each([
    ['lower', (name: string) => name.toLowerCase()],
    ['upper', (name: string) => name.toUpperCase()],
  ])('is asked in plain ones from then on: %s', async (_case, spell) => {
    await using server = await spelling(spell);
    const { client } = asker({ timeoutMs: 1_000 });
    const ask = () => client.ask(manyLetters, { servers: [server.address], attempts: 1 });
    expect(answersIn(await ask())).toBe(1);
    expect(server.seen.map(({ transport }) => transport)).toEqual(['udp', 'tcp', 'udp']);
    expect(answersIn(await ask())).toBe(1);
    expect(namesOf(server).slice(2)).toEqual(Array(2).fill(manyLetters.name));
    // Each is drawn, and two may be the same.
    expect(new Set(server.seen.map(({ query }) => query.id)).size).toBeGreaterThan(1);
  });

  test('is asked in random ones by others, and its neighbours are, too', async () => {
    await using server = await spelling((name) => name.toLowerCase());
    await using neighbour = await answering();
    const { client } = asker();
    await client.ask(manyLetters, { servers: [server.address] });
    await client.ask(manyLetters, { servers: [neighbour.address] });
    expect(namesOf(neighbour)[0]).not.toBe(manyLetters.name);
  });

  test('is still not believed another name or id', async () => {
    let lies = false;
    await using server = await FakeUpstream.start((query) => {
      const [asked] = query.questions ?? [];
      const lower = replyTo(
        { ...query, questions: [{ ...asked, name: asked?.name.toLowerCase() }] } as DecodedPacket,
        manyAddresses(1),
      );
      if (!lies) return [lower];
      const otherId = Buffer.from(lower);
      otherId.writeUInt8((lower[0] as number) ^ 1, 0);
      return [otherId, Buffer.from(lower).fill('z', 13, 14)];
    });
    const { client } = asker({ timeoutMs: 300, attempts: 1 });
    const ask = () => client.ask(manyLetters, { servers: [server.address] });
    await ask();
    lies = true;
    await expect(ask()).rejects.toThrow('no answer in time');
  });
});

test('a question of our own is known again by its mark, and passed on with those of others', async () => {
  await using server = await answering();
  const [first, second] = [asker().client, asker().client];
  const passedOn = async (client: UpstreamClient, asked: Question): Promise<Question> => {
    await client.ask(asked, { servers: [server.address] });
    const packet = dnsPacket.encode(server.seen.at(-1)?.query as dnsPacket.Packet);
    const received = readQuery(packet, '127.0.0.1', 'udp');
    if (!received || !('query' in received)) throw new Error('not a query');
    return received.query.question;
  };
  expect(first.isLoop(question)).toBe(false);
  const once = await passedOn(first, question);
  expect([first.isLoop(once), second.isLoop(once)]).toEqual([true, false]);
  const twice = await passedOn(second, once);
  expect([first.isLoop(twice), second.isLoop(twice)]).toEqual([true, true]);
});

test('further questions than may be outstanding fail at once', async () => {
  await using silent = await FakeUpstream.start(() => []);
  const { ask } = asker({ timeoutMs: 300, maxOutstanding: 2, attempts: 1 });
  const first = [ask(silent), ask(silent)];
  await expect(ask(silent)).rejects.toThrow('too many queries: 2 are already waiting');
  expect((await Promise.allSettled(first)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(ask(silent)).rejects.toThrow('no answer in time');
});

test('a stop gives up at once, on all servers', async () => {
  await using silent = await FakeUpstream.start(() => []);
  const { client, ask } = asker({ timeoutMs: 60_000 });
  const asked = ask(silent, silent, silent).catch((error: Error) => error.message);
  await eventually(() => expect(silent.seen.length).toBe(1));
  client.stop();
  expect(await asked).toContain('no answer in time');
  expect(silent.seen.length).toBe(1);
});
