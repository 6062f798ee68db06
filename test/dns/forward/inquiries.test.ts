import { expect, test } from 'vitest';
import { Inquiries } from '../../../src/dns/forward/inquiries.ts';
import { questionOf } from '../question.ts';

const question = questionOf('slow.example.com');
const message = Buffer.concat([Buffer.alloc(12), question.bytes]);

function setUp() {
  const waiting: ((message: Buffer) => void)[] = [];
  const client = { ask: () => new Promise<Buffer>((resolve) => waiting.push(resolve)) };
  const inquiries = new Inquiries({ client, now: () => 0 });
  const ask = (marks: string, key = 'slow') =>
    inquiries.ask({ key, marks, question, upstreams: { servers: [] }, from: 'a', learn: () => {} });
  return { waiting, ask };
}

test('the same question with other marks each time is asked a few times at once, and all are answered', async () => {
  const { waiting, ask } = setUp();
  const asked = Array.from({ length: 1_000 }, (_, index) => ask(`mark ${index}`));
  expect(waiting.length).toBe(4);
  for (const answer of waiting) answer(message);
  expect(new Set(await Promise.all(asked))).toEqual(new Set([message]));
  void ask('mark 7');
  expect(waiting.length).toBe(5);
});

test('questions with the same marks share what comes of it, those without any first of all', async () => {
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
