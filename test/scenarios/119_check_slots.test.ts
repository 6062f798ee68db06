import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

test('a container of 200 ports whose checks hang does not delay the names of other containers', async () => {
  await using daemon = await startDaemon(['--address', 'internal']);
  const check = ['-e', 'SERVICE_CHECK_INTERVAL=1s', '-e', 'SERVICE_CHECK_TIMEOUT=30s'];
  // What is sent to it is dropped, so that every connection hangs.
  await using hostile = await runContainer(
    ['--cap-add=NET_ADMIN', '--expose', '1000-1199', '-e', 'SERVICE_CHECK_TCP=1', ...check],
    [
      'sh',
      '-c',
      'ip route add blackhole 0.0.0.0/1; ip route add blackhole 128.0.0.0/1; ip route flush dev eth0; sleep 3600',
    ],
  );
  await eventually(async () => {
    const { stdout } = await daemon.command('services', '--format', 'json', hostile.name);
    expect(JSON.parse(stdout)).toHaveLength(200);
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await using honest = await runContainer(
    [
      '--expose',
      '80',
      '-e',
      'SERVICE_NAME=honest',
      '-e',
      'SERVICE_CHECK_HTTP=/',
      '-e',
      'SERVICE_CHECK_INTERVAL=1s',
    ],
    ['sh', '-c', 'mkdir /www && touch /www/index.html && exec httpd -f -p 80 -h /www'],
  );
  const { stdout } = await daemon.command('explain', 'busybox-1000');
  expect(stdout).toMatch(/tcp .*: critical/);
  await eventually(
    async () =>
      expect(dataOf(await daemon.dig('honest.service.dc1.consul'))).toEqual([await honest.address()]),
    { within: 8_000 },
  );
});
