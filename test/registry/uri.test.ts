import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatRegistryUri, parseRegistryUri } from '../../src/registry/uri.ts';

describe('the registry that --registry names', () => {
  test.each([
    ['embedded', 'embedded'],
    ['consul://', 'consul://127.0.0.1:8500'],
    ['consul://db1:8500', 'consul://db1:8500'],
    ['consul://db1', 'consul://db1:8500'],
    ['consul://db1:8500/', 'consul://db1:8500'],
    ['consul://[::1]:8500', 'consul://[::1]:8500'],
    ['consul-tls://db1', 'consul-tls://db1:8501'],
    ['consul-tls://db1:9', 'consul-tls://db1:9'],
    ['consul-unix:///run/consul.sock', 'consul-unix:///run/consul.sock'],
    ['127.0.0.1:8500', 'consul://127.0.0.1:8500'],
    ['http://db1:8500', 'consul://db1:8500'],
    ['https://db1:8501', 'consul-tls://db1:8501'],
    ['unix:///run/consul.sock', 'consul-unix:///run/consul.sock'],
  ])('%s is %s', (text, uri) => {
    expect(formatRegistryUri(parseRegistryUri(text))).toBe(uri);
  });

  test.each([
    ['etcd://db1:2379', 'heddle has no etcd backend'],
    ['consul://db1:0', 'port 0 is out of range'],
    ['consul://db1:70000', 'port 70000 is out of range'],
    ['consul://db1:x', 'invalid host and port'],
    ['consul://me:secret@db1:8500', 'invalid host and port'],
    ['consul://db1:8500/prefix', 'invalid host and port'],
    ['consul://::1', 'invalid host and port'],
    ['consul-unix://run/consul.sock', 'the socket path must be absolute'],
    ['two parts', 'invalid host and port'],
  ])('%s is refused: %s', (text, why) => {
    expect(() => parseRegistryUri(text)).toThrow(expect.objectContaining({ code: 'bad-input' }));
    expect(() => parseRegistryUri(text)).toThrow(why);
  });

  test.each([
    'a\tb',
    'a\nb',
    'a\u0000b',
    'a\bb',
    'a\u009bb',
    'a\u202eb',
    'a b',
    'a<b',
    'a%b',
    'a|b',
    '1.2.3.4.5',
    '1.2.3.400',
  ])('rejects the host %j, which would fail later without a message', (host) => {
    for (const text of [host, `${host}:8500`, `consul://${host}`, `https://${host}:8501`])
      expect(() => parseRegistryUri(text)).toThrow(/invalid host and port/);
  });

  test('is parsed from any text, or rejected with a message', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string().map((host) => `consul://${host}:8500`),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          const uri = parseRegistryUri(given);
          if ('host' in uri)
            new URL(`http://${uri.host.includes(':') ? `[${uri.host}]` : uri.host}:${uri.port}`);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-input' });
        }
      }),
    );
  });
});
