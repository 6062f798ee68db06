import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadOf } from '../../../src/services/checks/rate-limit.ts';
import { define } from '../../../src/services/define.ts';
import { OWNER_META } from '../../../src/services/service.ts';
import { entryOf } from '../../support/roster.ts';

const options = { hostId: 'h1', runs: () => true, healthcheck: true };
const portsUpTo = (most: number) => Array.from({ length: most }, (_, n) => n + 1);

/** The services of a container with this number of ports and these SERVICE_CHECK_* settings. */
function checked(ports: number, settings: Record<string, string>, more: object = {}, given: object = {}) {
  const env = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      /^\d/.test(key) ? `SERVICE_${key}` : `SERVICE_CHECK_${key}`,
      value,
    ]),
  );
  const entry = entryOf({ env: { SERVICE_NAME: 'web', ...env }, ports: portsUpTo(ports), ...given });
  const { definitions, problems } = define(entry, { ...options, ...more });
  return { services: definitions.map(({ service }) => service), problems };
}

type Services = ReturnType<typeof checked>['services'];
/** To the millionth: ninety times 5/9 is not quite 50 in floating point. */
const aSecond = (services: Services) => {
  const sum = services.reduce((total, service) => total + loadOf(service).perSecond, 0);
  return Math.round(sum * 1e6) / 1e6;
};
/** The distinct intervals and TTLs of all checks. */
const periods = (services: Services) => [
  ...new Set(
    services.flatMap(({ checks }) => checks.map((check) => ('ttl' in check ? check.ttl : check.interval))),
  ),
];

describe('the checks of a container', () => {
  interface Row {
    readonly of: string;
    readonly ports: number;
    readonly settings: Record<string, string>;
    readonly options?: object;
    readonly container?: object;
    readonly periods: string[];
    readonly problem?: string;
  }

  const all = { HTTP: '/', HTTPS: '/', TCP: '1', GRPC: '1' };
  test.each<Row>([
    {
      ...{ of: 'TTL checks', ports: 256, settings: { TTL: '1s' } },
      ...{ periods: ['15.6s'], problem: '768 times a second, .* every 5.2s' },
    },
    {
      ...{ of: 'checks of four kinds', ports: 256, settings: { ...all, INTERVAL: '1s' } },
      ...{ periods: ['20.5s'], problem: '1024 times a second, .* every 20.5s' },
    },
    {
      ...{ of: 'intervals that are too short', ports: 256, settings: { TCP: '1', INTERVAL: '1ms' } },
      ...{ periods: ['5.2s'], problem: '256 times a second' },
    },
    {
      ...{ of: 'one check too many', ports: 51, settings: { TCP: '1', INTERVAL: '1s' } },
      ...{ periods: ['1.1s'], problem: '51 times a second' },
    },
    {
      ...{ of: 'as many as there may be', ports: 50, settings: { TCP: '1', INTERVAL: '1s' } },
      periods: ['1s'],
    },
    { of: 'a TTL that few have', ports: 16, settings: { TTL: '1s' }, periods: ['1s'] },
    { of: 'the usual interval', ports: 256, settings: { TCP: '1' }, periods: ['10s'] },
    {
      ...{
        of: 'a few in a hurry among many',
        ports: 256,
        settings: { TCP: '1', '1-8_CHECK_INTERVAL': '1s' },
      },
      periods: ['1s', '10s'],
    },
    {
      of: 'some that take their time',
      ports: 256,
      settings: { TCP: '1', INTERVAL: '1s', '1_CHECK_INTERVAL': '1h' },
      ...{ periods: ['1h', '5.2s'], problem: '255 times a second' },
    },
    {
      // Each report of a service contains the TTL check, the HEALTHCHECK and the HTTP check, which is run as well.
      of: 'TTL checks beside others that heddle reports',
      ports: 20,
      settings: { TTL: '1s', HTTP: '/', INTERVAL: '1h' },
      options: { heddleRuns: (kind: string) => kind === 'http' },
      container: { health: 'healthy' },
      ...{ periods: ['24h', '1h', '4.8s'], problem: '180 times a second, .* every 1.6s' },
    },
  ])('of $of', ({ ports, settings, options: more, container, periods: expected, problem }) => {
    const { services, problems } = checked(ports, settings, more, container);
    expect(services).toHaveLength(ports);
    expect(periods(services)).toEqual(expected);
    expect(aSecond(services)).toBeLessThanOrEqual(50);
    expect(problems).toEqual(problem === undefined ? [] : [expect.stringMatching(problem)]);
  });

  test('are limited to 50 a second, whatever the settings', () => {
    const duration = fc.oneof(
      fc.integer({ min: 1, max: 90 }).map((seconds) => `${seconds}s`),
      fc.integer({ min: 1, max: 5_000 }).map((ms) => `${ms}ms`),
    );
    const settings = fc.record(
      {
        ...{ TTL: duration, INTERVAL: duration, '1-9_CHECK_INTERVAL': duration, '5-50_CHECK_TTL': duration },
        ...{ HTTP: fc.constant('/'), TCP: fc.constant('1') },
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(settings, fc.integer({ min: 1, max: 100 }), (given, ports) => {
        expect(aSecond(checked(ports, given).services)).toBeLessThanOrEqual(50);
      }),
      { numRuns: 12 },
    );
  });

  test('that are slowed down have the hash of their own content', () => {
    const hashes = (settings: Record<string, string>) =>
      checked(51, settings).services.map(({ meta }) => meta[OWNER_META.hash]);
    const slowed = hashes({ TCP: '1', INTERVAL: '1s' });
    expect(slowed).toEqual(hashes({ TCP: '1', INTERVAL: '1.1s' }));
    expect(slowed).not.toEqual(hashes({ TCP: '1', INTERVAL: '2s' }));
  });

  test('are reported as slowed down before all other problems', () => {
    const bad = Object.fromEntries(portsUpTo(30).map((n) => [`${n}_CHECK_TIMEOUT`, 'soon']));
    const { problems } = checked(256, { TCP: '1', INTERVAL: '1s', ...bad });
    expect(problems[0]).toMatch(/256 times a second/);
    expect(problems).toHaveLength(21);
  });
});

test('checks that come to exactly the limit are not slowed down, whatever their fractions sum to', () => {
  const { services, problems } = checked(90, { TCP: '1', INTERVAL: '1800ms' });
  expect(periods(services)).toEqual(['1800ms']);
  expect(problems).toEqual([]);
});
