import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { queryFile, services } from '../../bench/dns/names.ts';
import { FrameReader } from '../../src/dns/wire/frames.ts';

/** How often each kind of query occurs in a file, and how many names are queried. */
function contents(file: Buffer) {
  const questions = new FrameReader(512).push(file).map((packet) => dnsPacket.decode(packet).questions?.[0]);
  const unknown = questions.filter((question) => question?.name.startsWith('nope')).length;
  const srv = questions.filter((question) => question?.type === 'SRV').length;
  const names = new Set(
    questions.map((question) => question?.name).filter((name) => name?.startsWith('svc')),
  );
  return { all: questions.length, unknown, srv, names: names.size };
}

test('of a hundred queries, two are for unknown names and eight for SRV, over all names', () => {
  expect(contents(queryFile(services(1_000), 'mix'))).toEqual({
    all: 20_000,
    unknown: 400,
    srv: 1_600,
    names: 1_000,
  });
});

test('the other kind has only queries for addresses', () => {
  expect(contents(queryFile(services(30_000, 1), 'a'))).toEqual({
    all: 30_000,
    unknown: 0,
    srv: 0,
    names: 30_000,
  });
});

test('services have one to five addresses, or as many as requested, and none twice', () => {
  const mixed = services(10);
  expect(mixed.map(({ addresses }) => addresses.length)).toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
  const many = services(100, 100).flatMap(({ addresses }) => addresses);
  expect(new Set(many).size).toBe(10_000);
});
