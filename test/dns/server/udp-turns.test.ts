import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { UdpTurns } from '../../../src/dns/server/udp-turns.ts';

/** How many questions of a single client start at once, and how many wait for their turn. */
const [AT_ONCE, ITS_PLACES] = [64, 1_639];

/** Submits questions, and records the clients whose questions were started, in order. */
function rig() {
  const turns = new UdpTurns();
  const begun: string[] = [];
  const ask = (client: string, question = client) =>
    turns.submit(client, Buffer.from(question), async (packet) => {
      begun.push(packet.toString());
      return packet;
    });
  const flood = (client: string, count: number) =>
    Array.from({ length: count }, () => ask(client)).filter((answer) => answer !== undefined);
  const countOf = (client: string) => begun.filter((name) => name === client).length;
  return { ask, flood, begun, countOf };
}

test('a client with few questions is served on arrival, however many another client sends', async () => {
  const { ask, flood, begun, countOf } = rig();
  expect(flood('greedy', 100_000).length).toBe(AT_ONCE + ITS_PLACES);
  begun.length = 0;
  for (let turn = 0; turn < 20; turn += 1) {
    expect(String(await ask('modest'))).toBe('modest');
    expect(begun[0]).toBe('modest');
    begun.length = 0;
    await nextTurn();
    // Its new questions wait behind its earlier ones.
    flood('greedy', 1_000);
    expect(countOf('greedy')).toBeLessThanOrEqual(AT_ONCE);
    begun.length = 0;
  }
});

test('clients that send more take turns', async () => {
  const { flood, countOf } = rig();
  flood('greedy', 1_000);
  flood('modest', AT_ONCE + 20);
  expect([countOf('greedy'), countOf('modest')]).toEqual([AT_ONCE, AT_ONCE]);
  await nextTurn();
  expect(countOf('modest')).toBe(AT_ONCE + 20);
  expect(countOf('greedy')).toBeLessThan(200);
});

test('a new client finds a place, however many clients use their full share', () => {
  const { flood } = rig();
  for (let client = 0; client < 30; client += 1) flood(`greedy${client}`, 10_000);
  expect(flood('modest', AT_ONCE + 1).length).toBe(AT_ONCE + 1);
});

test('all queued questions are answered in order, and their places are free again', async () => {
  const { ask, flood } = rig();
  for (let round = 0; round < 3; round += 1) {
    const packet = Buffer.from('question 0');
    const answers = Array.from({ length: 200 }, (_, index) => {
      packet.write(String(index % 10), 9);
      return ask('greedy', packet.toString());
    });
    const texts = (await Promise.all(answers)).map(String);
    expect(texts).toEqual(Array.from({ length: 200 }, (_, index) => `question ${index % 10}`));
    await nextTurn();
  }
  expect(flood('greedy', 10_000).length).toBe(AT_ONCE + ITS_PLACES);
});

test('a waiting question is not overwritten by the next one in the same buffer', async () => {
  const turns = new UdpTurns();
  const packet = Buffer.alloc(2);
  const answers = Array.from({ length: 200 }, (_, index) => {
    packet.writeUInt16BE(index);
    return turns.submit('greedy', packet, async (own) => own.readUInt16BE());
  });
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 200 }, (_, index) => index));
});
