import { expect, test } from 'vitest';
import { InflightQueries } from '../../../src/dns/forward/inflight-queries.ts';
import { questionOf } from '../question.ts';

const question = questionOf('slow.example.com');
const message = Buffer.concat([Buffer.alloc(12), question.bytes]);

function setUp() {
  const waiting: ((message: Buffer) => void)[] = [];
  const client = { ask: () => new Promise<Buffer>((resolve) => waiting.push(resolve)) };
  const inquiries = new InflightQueries({ client, now: () => 0 });
  const ask = (marks: string, key = 'slow') =>
    inquiries.ask({ key, marks, question, upstreams: { servers: [] }, from: 'a', onAnswer: () => {} });
  return { waiting, ask };
}

test('one question with many different marks is queried a few times at once, and all clients get an answer', async () => {
  const { waiting, ask } = setUp();
  const asked = Array.from({ length: 1_000 }, (_, index) => ask(`mark ${index}`));
  expect(waiting.length).toBe(4);
  for (const answer of waiting) answer(message);
  expect(new Set(await Promise.all(asked))).toEqual(new Set([message]));
  void ask('mark 7');
  expect(waiting.length).toBe(5);
});

test('questions with the same marks share an outcome, and so do those without marks', async () => {
  const { waiting, ask } = setUp();
  const same = [ask(''), ask(''), ask('one'), ask('one')];
  expect(waiting.length).toBe(2);
  const others = Array.from({ length: 20 }, (_, index) => ask(`mark ${index}`));
  expect(waiting.length).toBe(5);
  waiting[0]?.(message);
  expect(await others.at(-1)).toBe(message);
  for (const answer of waiting) answer(message);
  await Promise.all(same);
});
