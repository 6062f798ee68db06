import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { HeddleError } from '../../../../src/errors.ts';
import { ConsulRegistry } from '../../../../src/registry/consul/agent-registry.ts';
import { ConsulAccess } from '../../../../src/registry/consul/api/access.ts';
import * as answers from '../../../../src/registry/consul/api/answers.ts';
import { ConsulClient } from '../../../../src/registry/consul/api/client.ts';
import { readSelf } from '../../../../src/registry/consul/api/self.ts';
import { ConsulLookups } from '../../../../src/registry/consul/lookups.ts';

const READERS = {
  readSelf,
  readText: answers.readText,
  readKeys: answers.readKeys,
  readCount: answers.readCount,
  readAgentServices: answers.readAgentServices,
  readService: answers.readService,
  readNode: answers.readNode,
  readAgentChecks: answers.readAgentChecks,
  readStatuses: answers.readStatuses,
  readNodeHealth: answers.readNodeHealth,
  readInstances: answers.readInstances,
  readFound: answers.readCatalogInstances,
};

/** JSON with the keys that Consul uses, and arbitrary values. */
const consulish = fc.letrec((tie) => ({
  key: fc.oneof(
    fc.constantFrom(
      'ID',
      'Service',
      'Node',
      'Services',
      'Checks',
      'Config',
      'Member',
      'Meta',
      'Tags',
      'Status',
    ),
    fc.constantFrom(
      'TaggedAddresses',
      'lan_ipv4',
      'Weights',
      'Passing',
      'Port',
      'Address',
      'NodeName',
      '__proto__',
    ),
    fc.string(),
  ),
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'json' },
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(tie('key'), tie('value')), { maxLength: 6 })
      .map((entries) => Object.fromEntries(entries as never)),
  ),
}));

describe('an answer of any shape', () => {
  test.each(Object.entries(READERS))('is parsed or rejected by %s, which never throws', (_, read) => {
    fc.assert(
      fc.property(
        fc.oneof(consulish.value as fc.Arbitrary<unknown>, fc.jsonValue()),
        (json) => void read(json),
      ),
    );
  });

  test('with a malformed entry in a list still yields the others', () => {
    const right = {
      Node: { Node: 'n1', Address: '192.0.2.1' },
      Service: { ID: 'a', Service: 'web' },
      Checks: [],
    };
    const found = answers.readInstances([
      null,
      7,
      right,
      { Node: {} },
      { Service: {} },
      [],
      { ...right, Checks: 'x' },
    ]);
    expect(found?.map(({ service }) => service.id)).toEqual(['a', 'a']);
    expect(answers.readAgentServices({ a: right.Service, b: null, c: 'x', d: { ID: 7 } })).toMatchObject([
      { id: 'a' },
    ]);
  });

  test('with an unknown status counts as critical', () => {
    expect([
      ...(answers.readStatuses([{ CheckID: 'a', Status: 'maintenance' }, { CheckID: 'b' }]) ?? []),
    ]).toEqual([
      ['a', 'critical'],
      ['b', 'critical'],
    ]);
  });

  test('yields a bounded number of instances of a name, and of tags of an instance', () => {
    const Service = {
      ID: 'a',
      Service: 'web',
      Tags: [...Array.from({ length: 1000 }, (_, n) => `t${n}`), 'x'.repeat(254)],
    };
    const many = Array.from({ length: 5000 }, () => ({ Node: { Node: 'n' }, Service, Checks: [] }));
    const found = answers.readInstances(many) ?? [];
    expect([found.length, found[0]?.service.tags.length]).toEqual([4096, 256]);
    expect(answers.readService(Service)?.tags).toHaveLength(1001);
  });
});

describe('another server in place of Consul', () => {
  const servers: { close(): unknown; closeAllConnections(): void }[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function clientOf(answer: RequestListener): Promise<ConsulClient> {
    const server = createServer(answer);
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    return new ConsulClient({ kind: 'consul', host: '127.0.0.1', port, tls: false }, { timeout: 2000 });
  }

  const json =
    (body: unknown): RequestListener =>
    (_, response) => {
      response.setHeader('content-type', 'application/json');
      response.setHeader('x-consul-index', '7');
      response.end(JSON.stringify(body));
    };
  const page: RequestListener = (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!DOCTYPE html><html><body>Welcome to nginx!</body></html>');
  };
  const endless =
    (type: string): RequestListener =>
    (_, response) => {
      response.setHeader('content-type', type);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20, '['))) {}
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };

  test.each<[string, RequestListener]>([
    ['a page of HTML', page],
    ['a number', json(7)],
    ['null', json(null)],
    ['a list of lists', json([[[]]])],
    [
      'something that is no JSON',
      (_, response) => response.setHeader('content-type', 'application/json').end('{"a":'),
    ],
    ['a redirect', (_, response) => response.writeHead(301, { location: '/ui/' }).end()],
    ['nothing but a status', (_, response) => response.writeHead(204).end()],
    ['an endless answer', endless('application/json')],
  ])('%s: every verb fails with a message, or finds nothing', async (_, answer) => {
    const client = await clientOf(answer);
    const registry = new ConsulRegistry(client, { hostId: 'h1' });
    const lookups = new ConsulLookups(client, { wait: 1 });
    const { signal } = new AbortController();
    const verbs = {
      ready: () => registry.ready(),
      list: () => registry.list(),
      statuses: () => registry.statuses(),
      foreign: () => registry.foreign(['db']),
      unsynced: () => registry.unsynced([]),
      instances: () => lookups.instances('web'),
      node: () => lookups.node('n1'),
      changes: () => lookups.changes('web', 0, signal),
      health: () => lookups.health({ node: 'n1', only: 'all' }, 0, signal),
    };
    for (const [verb, ask] of Object.entries(verbs)) {
      const outcome = await ask().then(
        (value) => value,
        (error: unknown) => error,
      );
      if (!(outcome instanceof Error)) continue;
      expect(outcome, verb).toBeInstanceOf(HeddleError);
      expect(outcome.message).toMatch(/^cannot [^\n<>]*$|has no leader/);
    }
    client.close();
  });

  test('an answer that is too long is cut off, and takes no more memory than that', async () => {
    const client = await clientOf(endless('application/json'));
    const before = process.memoryUsage().rss;
    await expect(new ConsulLookups(client).instances('web')).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/^cannot look up web at .*: the answer is longer than 8192 KiB$/),
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
    client.close();
  });

  test('a list of names that has no end proves that the token may read, and is not read on', async () => {
    const client = await clientOf((request, response) => {
      if (request.url?.startsWith('/v1/catalog/services'))
        return endless('application/json')(request, response);
      json({})(request, response);
    });
    await expect(new ConsulAccess(client).proveReading()).resolves.toBeUndefined();
    client.close();
  });

  test('an answer that trickles for ever is given up after the time of a request', async () => {
    const client = await clientOf((_, response) => {
      const timer = setInterval(() => response.write(' '), 100);
      response.once('close', () => clearInterval(timer));
    });
    await expect(new ConsulLookups(client).instances('web')).rejects.toMatchObject({ code: 'unreachable' });
    client.close();
  });
});
