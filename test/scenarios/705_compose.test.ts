import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dataOf } from '../support/dig.ts';
import { docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { scenario } from '../support/scenario.ts';

/** Docker Compose v2 as people use it: up, scale, down, with services that ask for addresses and names. */
const FILE = `
services:
  web:
    image: busybox
    init: true
    command: httpd -f -p 80 -h /etc
    expose: ["80"]
    environment: { SERVICE_NAME: shop }
    labels: { heddle.cidr: "net:default" }
  db:
    image: busybox
    init: true
    command: sleep 3600
    labels: { SERVICE_NAME: store }
    network_mode: none
`;

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder.path, 'compose.yml'), FILE);
});
afterAll(() => folder?.[Symbol.asyncDispose]());
const { daemon } = scenario({ flags: ['--address', 'ethwe,internal'] });
const compose = (...args: readonly string[]) =>
  docker('compose', '--project-name', 'town', '--file', join(folder.path, 'compose.yml'), ...args);
const answer = async (name: string) => [...dataOf(await daemon.dig(name))].sort();

test('up, scale, the addresses of each name, and down', async () => {
  await compose('up', '--detach');
  await eventually(async () => expect(await answer('shop.service.consul')).toEqual(['10.32.0.1']));
  expect(await answer('web.weave.local')).toEqual(['10.32.0.1']);

  await compose('up', '--detach', '--scale', 'web=3', '--no-recreate');
  const three = ['10.32.0.1', '10.32.0.2', '10.32.0.3'];
  await eventually(async () => expect(await answer('shop.service.consul')).toEqual(three));
  expect(await answer('web.weave.local')).toEqual(three);
  expect(await answer('town-web-2.weave.local')).toHaveLength(1);

  // Docker's own resolver in the project's network gives Docker's addresses, and forwards other names to heddle.
  const first = (await compose('ps', '--quiet', 'web')).split('\n')[0] as string;
  const within = await docker('exec', first, 'nslookup', 'web');
  expect(within).not.toContain('10.32.0.');
  const { stdout } = await daemon.command('ps');
  expect(stdout).toMatch(/10\.32\.0\.1: ethwe has 10\.32\.0\.1/);

  await compose('up', '--detach', '--scale', 'web=1', '--no-recreate');
  await eventually(async () => expect(await answer('shop.service.consul')).toHaveLength(1));
  await compose('down', '--timeout', '1');
  await eventually(async () => expect(await answer('shop.service.consul')).toEqual([]));
  expect(await answer('web.weave.local')).toEqual([]);
});
