import { describe, expect, test } from 'vitest';
import { type CheckOptions, checksOf } from '../../../src/services/checks/checks.ts';
import { shellWords } from '../../../src/services/checks/shell-words.ts';
import { Environment } from '../../../src/services/environment.ts';

const ALL: CheckOptions = { runs: () => true, allowScriptChecks: true };
const container = 'c0ffee'.padEnd(64, '0');

function read(env: Record<string, string>, options = ALL, where: { address?: string; port?: number } = {}) {
  const settings = new Environment(
    new Map(Object.entries(env).map(([key, value]) => [`SERVICE_CHECK_${key}`, value])),
  ).settings();
  const problems: string[] = [];
  const target = {
    ...{ serviceId: 'x', container, address: '10.2.1.1', port: 80, ...where },
    refusal: () => undefined,
    reachablePort: (other: number) => other,
  };
  const checks = checksOf(settings, target, options, (problem) => problems.push(problem));
  return { checks, problems };
}

describe('a check', () => {
  test.each([
    [
      { HTTP: '/ready' },
      { id: 'x~http', name: 'http check', kind: 'http', url: 'http://10.2.1.1:80/ready', interval: '10s' },
    ],
    [
      { HTTP: 'ready?a=1', HTTP_METHOD: 'post' },
      { url: 'http://10.2.1.1:80/ready?a=1', method: 'POST' },
    ],
    [
      { HTTP: '/', HTTP_HEADER: 'Host: a.example, X-A: 1, X-A: 2' },
      { headers: { Host: ['a.example'], 'X-A': ['1', '2'] } },
    ],
    [
      { HTTPS: '/', TLS_SKIP_VERIFY: 'true' },
      { id: 'x~https', url: 'https://10.2.1.1:80/', tlsSkipVerify: true },
    ],
    [
      { TCP: 'true', INTERVAL: '1m30s', TIMEOUT: '2s' },
      { kind: 'tcp', target: '10.2.1.1:80', interval: '1m30s', timeout: '2s' },
    ],
    [{ UDP: 'true' }, { kind: 'udp', target: '10.2.1.1:80' }],
    [
      { GRPC: 'true', GRPC_USE_TLS: '1', TLS_SKIP_VERIFY: '1' },
      { kind: 'grpc', target: '10.2.1.1:80', tls: true, tlsSkipVerify: true },
    ],
    [{ H2PING: 'true' }, { kind: 'h2ping', target: '10.2.1.1:80' }],
    [
      { SCRIPT: "probe '$SERVICE_IP' --port=$SERVICE_PORT 'a b'" },
      { kind: 'script', args: ['probe', '10.2.1.1', '--port=80', 'a b'] },
    ],
    [
      { CMD: 'test -f /ok' },
      { id: 'x~cmd', kind: 'script', args: ['check-cmd', 'c0ffee000000', '80', 'test -f /ok'] },
    ],
    [{ DOCKER: 'test -f /ok' }, { kind: 'docker', container, args: ['/bin/sh', '-c', 'test -f /ok'] }],
    [
      { TCP: '1', INITIAL_STATUS: 'passing', DEREGISTER_AFTER: '10m' },
      { status: 'passing', deregisterAfter: '10m' },
    ],
  ])('%j is %j', (env, expected) => {
    const { checks, problems } = read(env);
    expect(checks).toEqual([expect.objectContaining(expected)]);
    expect(problems).toEqual([]);
  });

  test('of kind TTL has no interval', () => {
    expect(read({ TTL: '30s' }).checks).toEqual([
      { id: 'x~ttl', name: 'ttl check', kind: 'ttl', ttl: '30s' },
    ]);
  });

  test('of an IPv6 address has brackets', () => {
    const { checks } = read({ HTTP: '/', TCP: '1' }, ALL, { address: 'fd00::1' });
    expect(checks).toMatchObject([{ url: 'http://[fd00::1]:80/' }, { target: '[fd00::1]:80' }]);
  });

  test('without a kind is none', () => {
    expect(read({ INTERVAL: '5s', INITIAL_STATUS: 'passing', HTTP: '' }).checks).toEqual([]);
  });

  test.each<[Record<string, string>, CheckOptions, number, string]>([
    [
      { HTTP: '/' },
      {},
      80,
      'SERVICE_CHECK_HTTP is left out: http checks are not supported with this registry',
    ],
    [
      { UDP: '1' },
      { runs: (kind) => kind !== 'udp' },
      80,
      'SERVICE_CHECK_UDP is left out: udp checks are not supported with this registry',
    ],
    [
      { SCRIPT: 'x' },
      { runs: () => true },
      80,
      'SERVICE_CHECK_SCRIPT is left out: checks that run commands need --allow-script-checks',
    ],
    [
      { CMD: 'x' },
      { runs: () => true },
      80,
      'SERVICE_CHECK_CMD is left out: checks that run commands need --allow-script-checks',
    ],
    [
      { DOCKER: 'x' },
      { runs: () => true },
      80,
      'SERVICE_CHECK_DOCKER is left out: checks that run commands need --allow-script-checks',
    ],
    [{ SCRIPT: "x 'y" }, ALL, 80, 'SERVICE_CHECK_SCRIPT is left out: a quote is not closed'],
    [{ TCP: '1' }, ALL, 0, 'SERVICE_CHECK_TCP is left out: there is no port to check'],
    [
      { TTL: '30' },
      ALL,
      80,
      'SERVICE_CHECK_TTL is left out: "30" is not a duration; expected one like 10s or 1m30s',
    ],
    [{ TTL: '999ms' }, {}, 80, 'SERVICE_CHECK_TTL is left out: "999ms" is too short; expected at least 1s'],
    [
      { TTL: '0s' },
      ALL,
      80,
      'SERVICE_CHECK_TTL is left out: "0s" is not a duration; expected one like 10s or 1m30s',
    ],
    [{ HTTP: '/a b' }, ALL, 80, 'SERVICE_CHECK_HTTP is left out: "/a b" is not the path of a URL'],
  ])('%j with %j at port %i is left out, and reported', (env, options, port, problem) => {
    expect(read(env, options, { port })).toEqual({ checks: [], problems: [problem] });
  });

  test.each([
    [
      { INTERVAL: 'often' },
      'SERVICE_CHECK_INTERVAL is left out: "often" is not a duration; expected one like 10s or 1m30s',
    ],
    [
      { INITIAL_STATUS: 'fine' },
      'SERVICE_CHECK_INITIAL_STATUS is left out: "fine" is not one of passing, warning, critical',
    ],
    [{ HTTP_METHOD: 'G T' }, 'SERVICE_CHECK_HTTP_METHOD is left out: "G T" is not an HTTP method'],
    [
      { HTTP_HEADER: 'A: 1\r\nB: 2' },
      'SERVICE_CHECK_HTTP_HEADER is left out: "A" is not a header; expected Name: value',
    ],
    [
      { HTTP_HEADER: 'Authorization Bearer s3cr3t' },
      'SERVICE_CHECK_HTTP_HEADER is left out: "Authorization" is not a header; expected Name: value',
    ],
  ])('with a bad setting %j stays without it', (env, problem) => {
    const { checks, problems } = read({ HTTP: '/', ...env });
    expect(checks).toEqual(read({ HTTP: '/' }).checks);
    expect(problems).toEqual([problem]);
  });
});

describe('the shell words of a command', () => {
  test.each([
    ['a b  c', ['a', 'b', 'c']],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`a'b'"c"`, ['abc']],
    [`'' ""`, ['', '']],
    ['a\\ b', ['a b']],
    [`"a\\"b" "a\\nb"`, ['a"b', 'a\\nb']],
    [`'a\\b'`, ['a\\b']],
    [' ', []],
    [`'open`, undefined],
    ['"open', undefined],
    ['end\\', undefined],
  ])('%s are %j', (text, fields) => {
    expect(shellWords(text)).toEqual(fields);
  });
});
