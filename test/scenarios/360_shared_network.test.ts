import { expect, test } from 'vitest';
import { dataOf } from '../support/dig.ts';
import { docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ flags: ['--address', 'ethwe'] });

const ethwe = (container: string): Promise<string> =>
  docker('exec', container, 'sh', '-c', 'ip -o -4 address show ethwe 2>/dev/null || true');
const addressOf = async (name: string) => dataOf(await daemon.dig(`${name}.service.dc1.consul`));

test('a container that shares a network loses it when the owner restarts, and has its address again once restarted', async () => {
  await using web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
  const sharing = `--net=container:${web.name}`;
  await using side = await runContainer([sharing, '-e', 'SERVICE_NAME=side']);
  await eventually(async () => expect(await addressOf('side')).toEqual(['10.2.1.1']));

  await docker('restart', '-t', '0', web.id);
  await eventually(async () => expect(await ethwe(web.id)).toContain('10.2.1.1/16'));
  // Docker has removed its eth0, and heddle the address, which would otherwise be in two namespaces.
  await eventually(async () => expect(await ethwe(side.id)).not.toContain('10.2.1.1'));
  await eventually(async () => expect(await addressOf('side')).toEqual([]));
  expect((await daemon.command('ps', side.name)).stdout).toMatch(
    new RegExp(
      `the network that '${web.name}' .* had before it was restarted.*: restart this container, too`,
    ),
  );
  expect(await addressOf('web')).toEqual(['10.2.1.1']);

  await docker('restart', '-t', '0', side.id);
  await eventually(async () => expect(await addressOf('side')).toEqual(['10.2.1.1']));

  // The same while no daemon runs: the next daemon finds it.
  await daemon.stop();
  await docker('restart', '-t', '0', web.id);
  await daemon.start();
  await eventually(async () => expect(await ethwe(web.id)).toContain('10.2.1.1/16'));
  await eventually(async () => expect(await ethwe(side.id)).not.toContain('10.2.1.1'));
  await docker('restart', '-t', '0', side.id);
  await eventually(async () => expect(await addressOf('side')).toEqual(['10.2.1.1']));

  // And by heddle's own command, with and without a daemon.
  expect((await daemon.command('restart', web.id)).status).toBe(0);
  expect(await ethwe(side.id)).not.toContain('10.2.1.1');
  await docker('restart', '-t', '0', side.id);
  await daemon.stop();
  expect((await heddle(['--local', 'restart', web.id])).status).toBe(0);
  expect(await ethwe(web.id)).toContain('10.2.1.1/16');
  expect(await ethwe(side.id)).not.toContain('10.2.1.1');
  await daemon.start();
});

test('a stopped container leaves its address with the containers that share its network', async () => {
  await using web = await daemon.run(['10.2.1.1/16']);
  await using _side = await runContainer([`--net=container:${web.name}`, '-e', 'SERVICE_NAME=side']);
  await docker('stop', '-t', '0', web.id);
  await eventually(async () => expect(await addressOf('side')).toEqual(['10.2.1.1']));
});
