import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeService } from '../../src/commands/inspect/services.ts';
import { effectiveSetting } from '../../src/config/effective.ts';
import { loadSettings } from '../../src/config/load.ts';
import { engineAddress } from '../../src/docker/engine-address.ts';
import { messageOf } from '../../src/errors.ts';
import { parseRegistryUri } from '../../src/registry/uri.ts';
import { withoutSecrets } from '../../src/runtime/secrets.ts';
import type { Service } from '../../src/services/service.ts';

it.each([
  ['consul://user:s3cret@host:8500', 'consul://(hidden)@host:8500'],
  ['consul://s3cret@host:8500', 'consul://(hidden)@host:8500'],
  ['consul://user:s3c@ret/s3cret@host:8500', 'consul://(hidden)@host:8500'],
  ['user:s3cret@host:8500', '(hidden)@host:8500'],
  ['--registry=user:s3cret@host', '--registry=(hidden)@host'],
  ['http://host/health?token=s3cret&full=1', 'http://host/health?token=(hidden)&full=1'],
  ['http://host/?full=1&X-Consul-Token=s3cret#end', 'http://host/?full=1&X-Consul-Token=(hidden)#end'],
  ['http://host/?api_key=s3cret;passwd=s3cret', 'http://host/?api_key=(hidden);passwd=(hidden)'],
  ['get "http://a:s3cret@b/" failed', 'get "http://(hidden)@b/" failed'],
  ['consul://127.0.0.1:8500', 'consul://127.0.0.1:8500'],
  [
    'nginx@sha256:0123, unix:///var/run/docker.sock, [::1]:53',
    'nginx@sha256:0123, unix:///var/run/docker.sock, [::1]:53',
  ],
])('%s is shown as %s', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown);
});

const secret = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-_.~!$*+%/?:@#;='), minLength: 1, maxLength: 20 })
  .map((text) => `s3cret${text}s3cret`);

describe('no secret is in the message for', () => {
  const messageFor = async (act: () => unknown): Promise<string> => {
    try {
      await act();
      return '';
    } catch (error) {
      return messageOf(error);
    }
  };
  const places: Readonly<Record<string, (uri: string) => Promise<string>>> = {
    'the registry': (uri) => messageFor(() => parseRegistryUri(uri)),
    'a flag': (uri) => messageFor(() => loadSettings({ flags: { registry: uri }, env: {} })),
    'another flag': (uri) => messageFor(() => loadSettings({ flags: { ip: uri, mtu: uri }, env: {} })),
    'a variable': (uri) => messageFor(() => loadSettings({ flags: {}, env: { CONSUL_HTTP_ADDR: uri } })),
    'a setting in effect': async (uri) => effectiveSetting('consulDns', uri, '--consul-dns').value,
    DOCKER_HOST: (uri) => messageFor(() => engineAddress({ DOCKER_HOST: uri.replace('consul:', 'gopher:') })),
    'a check': async (uri) => {
      const check = { kind: 'http', id: 'c', name: 'c', url: uri } as const;
      const service = {
        id: 'i',
        name: 'n',
        address: '10.0.0.1',
        port: 1,
        tags: [],
        meta: {},
        checks: [check],
      };
      return describeService(service as unknown as Service).join('\n');
    },
  };
  it.each(Object.entries(places))('%s', async (_, show) => {
    await fc.assert(
      fc.asyncProperty(secret, async (hidden) => {
        expect(await show(`consul://user:${hidden}@host:8500`)).not.toContain('s3cret');
        expect(await show(`consul://${hidden}@host:8500/?x=1`)).not.toContain('s3cret');
      }),
    );
  });
});

it('DOCKER_HOST with a user that cannot be decoded is refused with a clear message', () => {
  expect(() => engineAddress({ DOCKER_HOST: 'ssh://%zz@host' })).toThrow(/^DOCKER_HOST is/);
});
