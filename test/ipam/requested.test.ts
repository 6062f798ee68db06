import { describe, expect, it } from 'vitest';
import { formatRequest } from '../../src/ipam/request.ts';
import { detachedNote, requestedAddresses } from '../../src/ipam/requested.ts';
import { snapshot } from '../support/snapshot.ts';

const due = (metadata: Record<string, string>) =>
  requestedAddresses(snapshot('web', { metadata: new Map(Object.entries(metadata)) }));

describe('the addresses that a container requests', () => {
  it.each([
    ['no metadata', {}, []],
    ['our label', { 'heddle.cidr': '10.2.1.1/16' }, ['10.2.1.1/16']],
    [
      "weave's key, separated by spaces and commas",
      { WEAVE_CIDR: '10.2.1.1/16 10.3.1.1/24,fd00::1/64' },
      ['10.2.1.1/16', '10.3.1.1/24', 'fd00::1/64'],
    ],
    [
      "our label before weave's key",
      { 'heddle.cidr': '10.2.1.1/16', WEAVE_CIDR: '10.9.9.9/16' },
      ['10.2.1.1/16'],
    ],
    [
      "weave's other requests",
      { WEAVE_CIDR: 'net:default ip:10.2.1.1/16,net:10.32.5.0/24' },
      ['net:default', '10.2.1.1/16', 'net:10.32.5.0/24'],
    ],
    ['none', { WEAVE_CIDR: 'none' }, []],
    ['our label none', { 'heddle.cidr': 'none', WEAVE_CIDR: '10.9.9.9/16' }, []],
    ['blank', { WEAVE_CIDR: ' , ' }, []],
  ])('%s', (_, metadata, cidrs) => {
    expect(due(metadata)).toMatchObject({ problem: undefined });
    expect(due(metadata).requests.map(formatRequest)).toEqual(cidrs);
  });

  it('attaches nothing for a label that cannot be parsed, and reports why', () => {
    const { requests, problem } = due({ 'heddle.cidr': '10.2.1.1/16 10.2.0.300/16' });
    expect(requests).toEqual([]);
    expect(problem).toMatch(/^heddle\.cidr: .*10\.2\.0\.300/);
  });

  it('attaches nothing for a label with more addresses than one owner can have', () => {
    const asking = (count: number) => Array.from({ length: count }, (_, index) => `net:10.32.0.${index}/32`);
    expect(due({ 'heddle.cidr': asking(64).join(',') }).requests).toHaveLength(64);
    for (const texts of [asking(65), asking(3_000), Array.from({ length: 1_000_000 }, () => '10.2.1.1/16')]) {
      expect(due({ 'heddle.cidr': texts.join(' ') })).toEqual({
        requests: [],
        problem: expect.stringMatching(/^heddle\.cidr: .*more than 64 addresses/),
      });
    }
  });
});

describe('a container that was detached', () => {
  const noteOf = (metadata: Record<string, string>, claimed: readonly [] | undefined) =>
    detachedNote(snapshot('web', { name: 'web', metadata: new Map(Object.entries(metadata)) }), claimed);

  it.each([
    [
      { 'heddle.cidr': '10.2.1.1/16' },
      /^heddle.cidr requests 10.2.1.1\/16, which detach or reset took away: assign it again with heddle attach 10.2.1.1\/16 web$/,
    ],
    [{ WEAVE_CIDR: 'net:default, 10.2.1.2/16' }, /^WEAVE_CIDR requests net:default 10.2.1.2\/16, /],
  ])('says what its metadata %j asks for', (metadata, note) => {
    expect(noteOf(metadata as Record<string, string>, [])).toMatch(note);
  });

  it('is not reported where it requests nothing, or was never detached', () => {
    expect(noteOf({}, [])).toBeUndefined();
    expect(noteOf({ WEAVE_CIDR: 'none' }, [])).toBeUndefined();
    expect(noteOf({ 'heddle.cidr': '10.2.1.1/16' }, undefined)).toBeUndefined();
  });
});
