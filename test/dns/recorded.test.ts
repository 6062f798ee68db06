import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { flagsOf, textOf } from './read.ts';
import {
  type Choice,
  compare,
  DIFFERENT,
  must,
  type RecordedCase,
  recorded,
  replay,
  replayed,
  textOfRecorded,
} from './recorded-cases.ts';
import { RecordedView, type Registration } from './recorded-view.ts';

/** Quirks that heddle does not have; the file names the accepted answer. */
const SANER = new Map([
  ['svc-a-cidr', 'cidr.service.consul 0 A 10.2.1.50'],
  ['ptr-unknown', 'consul 0 SOA'],
]);

/** Recorded without EDNS, where Consul cuts to three answers; it follows a fourth alias, and so do we. */
const CUT = 'host-loop';

const quirks = recorded.cases.filter(({ level, id }) => level === 'quirk' && !SANER.has(id) && id !== CUT);

test('only the named cases are left out', () => {
  expect(must.length).toBe(106);
  expect(replayed.length).toBe(must.length - 2);
  expect(quirks.length).toBe(recorded.cases.length - must.length - 1 - 3);
});

describe('a recorded answer of Consul', () => {
  test.each(replayed)('$id', async (recordedCase) => {
    const { packet, reply } = await replayAlone(recordedCase);
    if (recordedCase.expected.no_response) {
      expect(reply).toBeUndefined();
      return;
    }
    compare(packet, reply as Buffer, recordedCase.expected);
  });
});

describe('a quirk of Consul', () => {
  test.each(quirks)('$id', async (recordedCase) => {
    const { packet, reply } = await replayAlone(recordedCase);
    compare(packet, reply as Buffer, recordedCase.expected);
  });
});

test('a list of services that does not fit keeps answers and additionals in step', async () => {
  const recordedCase = recorded.cases.find(({ id }) => id === 'size-srv30-edns1232') as RecordedCase;
  const { packet, reply } = await replayAlone(recordedCase);
  compare(packet, reply as Buffer, { ...recordedCase.expected, flags: ['qr', 'aa', 'tc', 'rd'] });
});

describe('a deliberate difference', () => {
  test('a loop of aliases: four of them, as Consul answers if they fit', async () => {
    const { reply } = await replayAlone(recorded.cases.find(({ id }) => id === CUT) as RecordedCase);
    const names = dnsPacket.decode(reply as Buffer).answers?.map(({ name }) => name.split('.')[0]);
    expect(names).toEqual(['loopa', 'loopb', 'loopa', 'loopb']);
  });

  test.each([...SANER])('%s: the saner answer', async (id, record) => {
    const { reply } = await replayAlone(recorded.cases.find((one) => one.id === id) as RecordedCase);
    const { answers = [], authorities = [] } = dnsPacket.decode(reply as Buffer);
    expect([...answers, ...authorities].map(textOf).join()).toContain(record);
  });

  test.each([...DIFFERENT])('%s: as many answers as fit, and TC', async (id, { flags, answers }) => {
    const recordedCase = must.find((one) => one.id === id) as RecordedCase;
    const { reply } = await replayAlone(recordedCase);
    const decoded = dnsPacket.decode(reply as Buffer);
    expect(flagsOf(decoded)).toEqual(flags.split(' '));
    expect(decoded.answers?.length).toBe(answers);
    expect((reply as Buffer).length).toBeLessThanOrEqual(512);
    const all = (recordedCase.expected.answer as Choice).from.map(textOfRecorded);
    for (const record of decoded.answers ?? []) expect(all).toContain(textOf(record));
  });
});

function replayAlone(recordedCase: RecordedCase) {
  const registrations = recordedCase.setup.flatMap((name) => recorded.registrations[name] as Registration[]);
  return replay(new RecordedView(registrations, { 'consul-network-segment': '', zone: 'z1' }), recordedCase);
}
