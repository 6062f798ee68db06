import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../../src/runtime/log.ts';
import { Fetcher } from '../../../src/services/tag-template/fetcher.ts';
import { parseTagTemplate } from '../../../src/services/tag-template/template.ts';
import { snapshot } from '../../support/snapshot.ts';

let server: Server;
let url: string;
let asked: number;
let answer: RequestListener;

beforeEach(async () => {
  asked = 0;
  answer = (_, response) => response.end(' {"zone":"eu-1"}\n');
  server = createServer((request, response) => {
    asked++;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/about`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const templateOf = () => parseTagTemplate(`a,{{httpGet "${url}"}},{{jsonParse (httpGet "${url}") "zone"}}`);

test('a document is requested once, for any number of uses in the template and containers', async () => {
  const template = templateOf();
  expect(await template.documents.fetchMissing()).toEqual([]);
  expect(await template.documents.fetchMissing()).toEqual([]);
  for (const id of ['one', 'two']) {
    expect(template.render(snapshot(id))).toBe('a,{"zone":"eu-1"},eu-1');
  }
  expect(asked).toBe(1);
});

test.each<[string, RequestListener, RegExp]>([
  ['answers with an error', (_, response) => void response.writeHead(503).end('no'), /: it answered 503$/],
  ['breaks off', (_, response) => void response.socket?.destroy(), /: socket hang up$/],
  ['has no end', (_, response) => void response.end('x'.repeat(100_000)), /: more than 65536 characters$/],
])('a document that %s gives no tags, with a reason', async (_, listener, why) => {
  answer = listener;
  const { documents } = templateOf();
  const [complaint, ...others] = await documents.fetchMissing();
  expect(complaint).toMatch(why);
  expect(complaint).toContain(`cannot get ${url} for --tags`);
  expect(others).toEqual([]);
  expect(documents.complete).toBe(false);
});

describe('the daemon', () => {
  test('requests documents before it begins, retries in the background, and logs success', async () => {
    const logged: string[] = [];
    const note = (line: string) => void logged.push(line);
    const log = Object.assign(silentLogger.child({}), { warn: note, info: note }) as Logger;
    const { documents } = templateOf();
    answer = (_, response) => void response.writeHead(500).end();
    const completed = Promise.withResolvers<void>();
    const fetcher = new Fetcher({ documents, log, completed: completed.resolve, retryEvery: 20 });
    await fetcher.start();
    expect(logged).toEqual([expect.stringContaining('until it answers, --tags gives no tags')]);
    answer = (_, response) => response.end('late');
    await completed.promise;
    expect(logged).toHaveLength(2);
    expect(documents.get(url)).toBe('late');
    await fetcher.stop();
  });

  test('stops during a request', async () => {
    answer = () => {};
    const { documents } = templateOf();
    const fetcher = new Fetcher({ documents, log: silentLogger, completed: () => expect.unreachable() });
    const starting = fetcher.start();
    await fetcher.stop();
    await starting;
  });
});
