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
    ['consul://db1:0', 'there is no port 0'],
    ['consul://db1:70000', 'there is no port 70000'],
    ['consul://db1:x', 'that is no host and port'],
    ['consul://me:secret@db1:8500', 'that is no host and port'],
    ['consul://db1:8500/prefix', 'that is no host and port'],
    ['consul://::1', 'that is no host and port'],
    ['consul-unix://run/consul.sock', 'the socket needs a full path'],
    ['two words', 'that is no host and port'],
  ])('%s is refused: %s', (text, why) => {
    expect(() => parseRegistryUri(text)).toThrow(expect.objectContaining({ code: 'bad-input' }));
    expect(() => parseRegistryUri(text)).toThrow(why);
  });
});
