import { describe, expect, test } from 'vitest';
import { ServerAbilities } from '../../../../src/dns/forward/upstream/server-abilities.ts';
import { Servers } from '../../../../src/dns/forward/upstream/servers.ts';

const [NOERROR, FORMERR, SERVFAIL] = [0, 1, 2];
const MINUTE = 60_000;
const NONE = { needsEdns: false, needsMark: false };

function manners(mayHaveMark = true) {
  const clock = { now: 0 };
  return { clock, server: new ServerAbilities(() => clock.now, mayHaveMark) };
}

describe('a server', () => {
  test('that may not lead back to us is asked without our mark', () => {
    expect(manners().server.first(false)).toBe('marked');
    expect(manners(false).server.first(false)).toBe('edns');
  });

  test('that refuses EDNS is asked without it for a quarter of an hour, then with it but without the mark', () => {
    const { server, clock } = manners();
    expect(server.next('marked', FORMERR, NONE)).toBe('plain');
    server.learn(['marked', 'plain'], NOERROR, false);
    clock.now = 15 * MINUTE - 1;
    expect(server.first(false)).toBe('plain');
    clock.now = 15 * MINUTE;
    expect(server.first(false)).toBe('edns');
    server.learn(['edns'], NOERROR, false);
    clock.now = 31 * MINUTE;
    expect(server.first(false)).toBe('marked');
  });

  test('that does not like the mark alone is asked with EDNS, for who needs it', () => {
    const { server } = manners();
    expect(server.next('marked', FORMERR, { needsEdns: true, needsMark: false })).toBe('edns');
    server.learn(['marked', 'edns'], NOERROR, false);
    expect(server.first(false)).toBe('edns');
  });

  test('that is silent is asked without EDNS, and for five minutes where that helps', () => {
    const { server, clock } = manners();
    expect(server.first(true)).toBe('plain');
    server.learn(['plain'], NOERROR, true);
    expect(server.first(false)).toBe('plain');
    clock.now = 5 * MINUTE;
    expect(server.first(false)).toBe('edns');
  });

  test('that has answered with EDNS keeps it when it is silent or fails, and after one forged refusal', () => {
    const { server } = manners();
    server.learn(['marked'], NOERROR, false);
    expect(server.first(true)).toBe('marked');
    expect(server.next('marked', SERVFAIL, NONE)).toBeUndefined();
    expect(server.next('marked', 'malformed', NONE)).toBeUndefined();
    expect(server.next('marked', FORMERR, NONE)).toBe('plain');
    server.learn(['marked', 'plain'], NOERROR, false);
    expect(server.first(false)).toBe('marked');
    server.learn(['marked', 'plain'], NOERROR, false);
    expect(server.first(false)).toBe('plain');
  });

  test('that fails with EDNS and without is asked once a question for a minute', () => {
    const { server, clock } = manners();
    expect(server.next('marked', SERVFAIL, NONE)).toBe('plain');
    server.learn(['marked', 'plain'], SERVFAIL, false);
    expect(server.next('marked', SERVFAIL, NONE)).toBeUndefined();
    clock.now = MINUTE;
    expect(server.next('marked', SERVFAIL, NONE)).toBe('plain');
  });

  test('whose failure may be that a question has come round is not asked without the mark', () => {
    const { server } = manners();
    expect(server.next('marked', SERVFAIL, { needsEdns: false, needsMark: true })).toBeUndefined();
    expect(server.next('marked', FORMERR, { needsEdns: false, needsMark: true })).toBe('plain');
  });
});

test('what is known of a server outlasts its object, and 256 servers are known', () => {
  const servers = new Servers({ now: () => 0, mayQueryUs: () => true, headStartMs: 300 });
  const known = servers.of({ ip: '10.0.0.1', port: 53 });
  expect(servers.of({ ip: '10.0.0.1', port: 53 })).toBe(known);
  for (let port = 1; port <= 256; port += 1) servers.of({ ip: '10.0.0.2', port });
  expect(servers.of({ ip: '10.0.0.1', port: 53 })).not.toBe(known);
});
