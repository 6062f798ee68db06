import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecodedPacket } from 'dns-packet';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { FakeUpstream, replyTo } from '../dns/upstream.ts';
import { clearWorld } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { startDaemon } from '../support/heddle.ts';

/** A daemon whose resolv.conf names faulty servers, as home routers and intranets have them, and a plain dig. */

const [FIRST, SECOND] = ['127.0.53.1', '127.0.53.2'];
const [BY_FIRST, BY_SECOND] = ['192.0.2.1', '192.0.2.2'];
const answered = (query: DecodedPacket, data: string) => replyTo(query, [{ type: 'A', data }]);
const hasEdns = ({ additionals = [] }: DecodedPacket) => additionals.some(({ type }) => type === 'OPT');

let folder: TemporaryFolder;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder[Symbol.asyncDispose]());
afterAll(() => clearWorld());

async function daemonWith(...lines: readonly string[]) {
  const file = join(folder.path, 'resolv.conf');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return await startDaemon(['--resolv-conf', file]);
}

test('both answer: a first server that is silent at first, and a second one that drops EDNS', async () => {
  let isSilent = true;
  await using first = await FakeUpstream.start(
    (query) => (isSilent ? [] : [answered(query, BY_FIRST)]),
    undefined,
    { ip: FIRST, port: 53 },
  );
  await using second = await FakeUpstream.start(
    (query) => (hasEdns(query) ? [] : [answered(query, BY_SECOND)]),
    undefined,
    { ip: SECOND, port: 53 },
  );
  await using daemon = await daemonWith(`nameserver ${FIRST}`, `nameserver ${SECOND}`);
  // dig asks once and waits as long as stub resolvers do.
  expect(dataOf(await daemon.dig('www.example.com', { args: ['+time=5'] }))).toEqual([BY_SECOND]);
  const before = second.seen.length;
  expect(dataOf(await daemon.dig('mail.example.com'))).toEqual([BY_SECOND]);
  // heddle remembers that this server drops EDNS.
  expect(second.seen.slice(before).map(({ query }) => hasEdns(query))).toEqual([false]);
  isSilent = false;
  const names = ['a', 'b', 'c', 'd'].map((label) => `${label}.example.com`);
  const found: string[] = [];
  for (const name of names) found.push(...dataOf(await daemon.dig(name)));
  // One answered query is enough to make it the first choice again.
  expect(found.at(-1)).toBe(BY_FIRST);
  expect(first.seen.length).toBeGreaterThan(1);
});

test('`options use-vc` uses TCP only, for a server whose UDP is dropped on the way', async () => {
  await using server = await FakeUpstream.start(
    () => [],
    (query) => answered(query, BY_FIRST),
    { ip: FIRST, port: 53 },
  );
  await using daemon = await daemonWith(`nameserver ${FIRST}`, 'options use-vc');
  expect(dataOf(await daemon.dig('www.example.com'))).toEqual([BY_FIRST]);
  expect(new Set(server.seen.map(({ transport }) => transport))).toEqual(new Set(['tcp']));
});
