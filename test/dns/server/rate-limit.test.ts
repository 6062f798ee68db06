import { describe, expect, test } from 'vitest';
import { RateLimit } from '../../../src/dns/server/rate-limit.ts';

let now = 0;
const isLocal = (client: string) => client.startsWith('10.');
const limit = () => new RateLimit(isLocal, { perSecond: 10, burst: 20, now: () => now });

/** How often each verdict occurs for this many queries. */
function verdicts(to: RateLimit, queries: number, client: string, type = 'A') {
  const counts = { answer: 0, truncate: 0, drop: 0 };
  for (let query = 0; query < queries; query += 1) counts[to.judge(client, type)] += 1;
  return counts;
}

describe('an external client', () => {
  test('is answered at once up to the burst, and then at the rate', () => {
    const to = limit();
    expect(verdicts(to, 100, '198.51.100.7')).toEqual({ answer: 20, truncate: 40, drop: 40 });
    now += 1_000;
    expect(verdicts(to, 100, '198.51.100.7').answer).toBe(10);
    now += 3_600_000;
    expect(verdicts(to, 100, '198.51.100.7').answer).toBe(20);
  });

  test.each([
    ['198.51.100.7', '198.51.100.8', '198.51.101.7'],
    ['2001:db8:0:1::1', '2001:db8:0:ff:2::', '2001:db8:0:100::1'],
  ])('%s shares its share with %s, and not with %s', (one, neighbour, other) => {
    const to = limit();
    expect(verdicts(to, 20, one).answer).toBe(20);
    expect(verdicts(to, 20, neighbour).answer).toBe(0);
    expect(verdicts(to, 20, other).answer).toBe(20);
  });

  test('is identified by its address alone, whatever its interface is called', () => {
    const to = limit();
    expect(verdicts(to, 20, 'fe80::1%br-0c0ffee').answer).toBe(20);
    expect(verdicts(to, 20, 'fe80::2%eth0.100').answer).toBe(0);
  });

  test('that asks for ANY gets TC, so that it retries over TCP', () => {
    expect(verdicts(limit(), 30, '198.51.100.7', 'ANY')).toEqual({ answer: 0, truncate: 25, drop: 5 });
  });

  test('is forgotten when very many others follow: no client is remembered forever', () => {
    const to = limit();
    verdicts(to, 20, '198.51.100.7');
    for (let index = 0; index < 10_000; index += 1) to.judge(`203.${index >> 8}.${index & 255}.1`, 'A');
    expect(verdicts(to, 20, '198.51.100.7').answer).toBe(20);
  });
});

test('a container is always answered', () => {
  expect(verdicts(limit(), 10_000, '10.2.1.1', 'ANY')).toEqual({ answer: 10_000, truncate: 0, drop: 0 });
});
