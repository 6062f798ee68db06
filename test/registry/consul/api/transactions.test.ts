import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConsulClient } from '../../../../src/registry/consul/api/client.ts';
import { Transactions } from '../../../../src/registry/consul/api/transactions.ts';

const NODE = { Node: 'first' };
let server: Server;
let client: ConsulClient;
let transactions: Transactions;
/** The operations of every transaction that arrived. */
let arrived: object[][];
let atOnce: number;
let most: number;
let answer: (operations: object[]) => { status: number; body?: object };

beforeEach(async () => {
  [arrived, atOnce, most] = [[], 0, 0];
  answer = () => ({ status: 200 });
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const operations = JSON.parse(Buffer.concat(chunks).toString()) as object[];
    arrived.push(operations);
    most = Math.max(most, ++atOnce);
    await new Promise((resolve) => setTimeout(resolve, 5));
    atOnce--;
    const { status, body = {} } = answer(operations);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  client = new ConsulClient({ kind: 'consul', host: '127.0.0.1', port, tls: false });
  transactions = new Transactions(client, () => [NODE]);
});

afterEach(async () => {
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const write = (n: number, count = 1, text = '') =>
  transactions.run(
    `cannot write ${n}`,
    Array.from({ length: count }, (_, at) => ({ n, at, text })),
  );

test('concurrent writes share a transaction, which begins with the node', async () => {
  await Promise.all([write(1), write(2), write(3, 2)]);
  const rest = { text: '' };
  expect(arrived).toEqual([
    [
      NODE,
      { n: 1, at: 0, ...rest },
      { n: 2, at: 0, ...rest },
      { n: 3, at: 0, ...rest },
      { n: 3, at: 1, ...rest },
    ],
  ]);
});

test('a transaction has at most 64 operations, requests are not split, and at most two run at once', async () => {
  await Promise.all(Array.from({ length: 200 }, (_, n) => write(n, 3)));
  expect(Math.max(...arrived.map((operations) => operations.length))).toBe(64);
  expect(arrived.flat().filter((operation) => !('Node' in operation))).toHaveLength(600);
  for (const operations of arrived) expect((operations.length - 1) % 3).toBe(0);
  expect(most).toBe(2);
});

test('a transaction is no longer than Consul accepts, and a request that is too long is sent alone', async () => {
  await Promise.all([1, 2, 3].map((n) => write(n, 1, 'x'.repeat(200_000))));
  await write(4, 1, 'x'.repeat(600_000));
  // Two transactions run at once, and either may arrive first.
  expect(arrived.map((operations) => operations.length - 1).sort()).toEqual([1, 1, 2]);
});

test('only the rejected request fails', async () => {
  answer = (operations) =>
    operations.some((operation) => 'n' in operation && operation.n === 2)
      ? { status: 409, body: { Errors: [{ OpIndex: 2, What: 'bad Meta' }] } }
      : { status: 200 };
  const results = await Promise.allSettled([1, 2, 3].map((n) => write(n)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({
    reason: {
      code: 'refused',
      message: expect.stringMatching(/^cannot write 2 at .* answered 409: bad Meta$/),
    },
  });
});

test('without a leader all requests fail at once and are worth a retry', async () => {
  answer = () => ({ status: 500, body: { Errors: [{ What: 'No cluster leader' }] } });
  const results = await Promise.allSettled([1, 2, 3].map((n) => write(n)));
  expect(results).toMatchObject([1, 2, 3].map(() => ({ reason: { code: 'unreachable' } })));
  expect(arrived).toHaveLength(1);
});
