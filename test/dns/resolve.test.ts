import { expect, test } from 'vitest';
import { Resolver } from '../../src/dns/resolve.ts';
import { emptyReply, type Question, type Resolved, type Zone } from '../../src/dns/zone.ts';
import { HeddleError } from '../../src/errors.ts';

const question: Question = {
  labels: ['web'],
  name: 'web',
  asked: 'Web',
  type: 'A',
  class: 'IN',
  bytes: new Uint8Array(),
  client: '127.0.0.1',
  transport: 'udp',
  recursionDesired: true,
  checkingDisabled: false,
};
const lines: string[] = [];
const log = { error: (_fields: unknown, line?: string) => void lines.push(line ?? '') };

function zone(name: string, resolve: () => Resolved | Promise<Resolved>): Zone & { asked: number } {
  const counted = {
    name,
    asked: 0,
    resolve: () => {
      counted.asked += 1;
      return resolve();
    },
  };
  return counted;
}
const resolve = (zones: Zone[], asked = question) => new Resolver({ zones, log }).resolve(asked);

test('the first zone that answers wins, and no further one is asked', async () => {
  const passes = zone('passes', () => undefined);
  const later = zone('later', async () => emptyReply('NXDOMAIN', true));
  const last = zone('last', () => emptyReply('NOERROR'));
  expect(await resolve([passes, later, last])).toEqual({
    zone: 'later',
    reply: emptyReply('NXDOMAIN', true),
  });
  expect([passes.asked, later.asked, last.asked]).toEqual([1, 1, 0]);
});

test('a name that no zone holds is refused', async () => {
  expect(await resolve([zone('passes', async () => undefined)])).toEqual({
    zone: 'none',
    reply: emptyReply('REFUSED'),
  });
});

test.each([
  ['IN', 'NOERROR'],
  ['ANY', 'NOERROR'],
  ['CH', 'REFUSED'],
  ['CLASS4711', 'REFUSED'],
])('class %s is %s', async (klass, rcode) => {
  const { reply } = await resolve([zone('all', () => emptyReply('NOERROR'))], { ...question, class: klass });
  expect(reply).toEqual(emptyReply(rcode as 'NOERROR'));
});

test.each([
  [
    'throws',
    () => {
      throw new HeddleError('unreachable', 'Consul is away');
    },
  ],
  ['rejects', () => Promise.reject(new HeddleError('unreachable', 'Consul is away'))],
])('a zone that %s fails the query, logs the reason once, and is not skipped', async (_how, fail) => {
  lines.length = 0;
  const broken = zone('broken', fail);
  const resolver = new Resolver({ zones: [broken, zone('next', () => emptyReply('NOERROR'))], log });
  for (let turn = 0; turn < 10; turn += 1) {
    expect(await resolver.resolve(question)).toEqual({ zone: 'broken', reply: emptyReply('SERVFAIL') });
  }
  expect(lines).toEqual(['cannot answer A Web: Consul is away']);
});
