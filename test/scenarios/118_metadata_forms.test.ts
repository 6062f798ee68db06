import { afterEach, describe, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ flags: ['--address', 'internal', '--compose-names'], keepContainers: true });
afterEach(() => clearWorld());

const says = (...settings: readonly string[]) => settings.flatMap((setting) => ['-e', setting]);

interface Found {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
}

const servicesOf = async (container: string) => {
  const { stdout } = await daemon.command('services', '--format', 'json', container);
  return (JSON.parse(stdout) as Found[]).map(({ name, port, tags }) =>
    [`${name}:${port}`, ...tags].join(' '),
  );
};
const isSaid = (container: string, ...sentences: readonly string[]) =>
  eventually(async () => {
    const { stdout: ps } = await daemon.command('ps', container);
    const { stdout: dry } = await daemon.command('services', '--dry-run', container);
    for (const sentence of sentences) {
      expect(ps).toContain(sentence);
      expect(dry).toContain(sentence);
      const logged = daemon.log.filter(({ msg, name }) => msg.includes(sentence) && name === container);
      expect(logged).toHaveLength(1);
    }
  });

test('a misspelt key, quotes, a URL and a template are logged once, with a suggestion', async () => {
  await using one = await runContainer([
    ...['--expose', '80'],
    ...says('SERVICE_NAME=web', 'SERVICE_CHECK_HTPP=/x', 'SERVICE_IP=10.9.9.9', 'SERVICE_REGION="eu"'),
    ...says('SERVICE_CHECK_HTTP=http://127.0.0.1/x', 'SERVICE_TAGS={{.ID}}'),
  ]);
  await isSaid(
    one.name,
    'SERVICE_CHECK_HTPP is not a setting and kept as Meta (did you mean SERVICE_CHECK_HTTP?)',
    'SERVICE_IP is not a setting and kept as Meta; ADDRESS announces another address',
    'SERVICE_REGION has quotes that are part of its value; remove them',
    'is a full URL; give the path alone',
    'SERVICE_TAGS contains {{…}}, which only --tags fills in',
  );
});

test('a range of ports is ignored, tags are added, and a check goes to the port for it', async () => {
  await using one = await runContainer(
    [
      ...['--expose', '80', '--expose', '10000-10020'],
      ...says(
        'SERVICE_80_NAME=app',
        'SERVICE_10000-20000_IGNORE=true',
        'SERVICE_TAGS=v1',
        'SERVICE_80_TAGS=+blue',
      ),
      ...says('SERVICE_CHECK_TCP=true', 'SERVICE_CHECK_PORT=81', 'SERVICE_CHECK_INTERVAL=1s'),
    ],
    ['sh', '-c', 'mkdir /www && exec httpd -f -p 81 -h /www'],
  );
  await eventually(async () => expect(await servicesOf(one.name)).toEqual(['app:80 v1 blue']));
  await eventually(async () =>
    expect(dataOf(await daemon.dig('blue.app.service.dc1.consul'))).toEqual([await one.address()]),
  );
});

test("a container that shares another container's network names its port, and one of two networks is chosen", async () => {
  const network = `front-${process.pid}`;
  await docker('network', 'create', network);
  try {
    await using main = await runContainer(says('SERVICE_IGNORE=1'));
    await using side = await runContainer([
      `--net=container:${main.name}`,
      ...says('SERVICE_NAME=side', 'SERVICE_PORT=8080'),
    ]);
    await using two = await runContainer(says('SERVICE_NAME=two', `SERVICE_NETWORK=${network}`));
    await docker('network', 'connect', network, two.id);
    const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
    const expected = await docker('inspect', '-f', format, two.id);
    await eventually(async () => expect(await servicesOf(side.name)).toEqual(['side:8080']));
    await eventually(async () =>
      expect(dataOf(await daemon.dig('two.service.dc1.consul'))).toEqual([expected]),
    );
  } finally {
    await clearWorld();
    await docker('network', 'rm', network).catch(() => undefined);
  }
});

describe('names of orchestrators', () => {
  test('the plain name of a Marathon app goes to the port of PORT0', async () => {
    await using one = await runContainer([
      ...['--expose', '22', '--expose', '8080', '--expose', '9000'],
      ...says('MARATHON_APP_ID=/shop', 'PORT0=31000', 'PORT1=31001', 'PORT_9000=31000', 'PORT_8080=31001'),
    ]);
    await eventually(async () =>
      expect((await servicesOf(one.name)).sort()).toEqual(['shop-22:22', 'shop-8080:8080', 'shop:9000']),
    );
  });

  test("a task of Swarm has its service's name with --compose-names", async () => {
    await using one = await runContainer(['-l', 'com.docker.swarm.service.name=worker']);
    await eventually(async () => expect(await servicesOf(one.name)).toEqual(['worker:0']));
  });
});
