import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ConsulClient } from '../../../src/registry/consul/api/client.ts';
import { CatalogRegistry } from '../../../src/registry/consul/catalog-registry.ts';
import { withOwnerMeta } from '../../../src/services/naming/identity.ts';
import { DEFAULT_WEIGHTS } from '../../../src/services/service.ts';
import { containerId } from '../../support/snapshot.ts';

/** The services that arrived, by the path that brought them. */
type Arrived = { readonly path: string; readonly service: { readonly Meta: object } };

test('a service with addresses of both families differs from desired state until its second write succeeded', async () => {
  const arrived: Arrived[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const path = new URL(request.url ?? '', 'http://consul').pathname;
    const set = path === '/v1/txn' ? body.at(-1).Service : body;
    arrived.push({ path, service: set.Service });
    response.writeHead(path === '/v1/txn' ? 200 : 500, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new ConsulClient({ kind: 'consul', host: '127.0.0.1', port, tls: false });
  const registry = new CatalogRegistry(client, { hostId: 'h1', address: () => '192.0.2.7' });
  const addresses = { ipv4: '10.2.1.1', ipv6: 'fd00::1' };
  const plain = { id: 'web-1', name: 'web', tags: [], address: '10.2.1.1', port: 80, meta: {}, checks: [] };
  const service = { ...plain, addresses, weights: DEFAULT_WEIGHTS };
  await expect(registry.register(withOwnerMeta(service, 'h1', containerId('c0ffee')))).rejects.toThrow(
    'both addresses',
  );
  expect(arrived.map(({ path }) => path)).toEqual(['/v1/txn', '/v1/catalog/register']);
  const [first, second] = arrived.map(({ service: { Meta } }) => Object.keys(Meta));
  expect(first).not.toContain('heddle-hash');
  expect(second).toContain('heddle-hash');
  client.close();
  server.close();
});
