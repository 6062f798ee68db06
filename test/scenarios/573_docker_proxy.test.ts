import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { dataOf, dig } from '../support/dig.ts';
import { runContainer } from '../support/engine.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';

afterEach(() => clearWorld());

test('behind a Docker socket that refuses networks, DNS opens, one warning names the flag, and no command prints HTML', async () => {
  await using proxy = await EngineProxy.start();
  proxy.refuses = /\/networks/;
  await using daemon = await startDaemon([], { DOCKER_HOST: proxy.address });
  await using _web = await runContainer(['-e', 'SERVICE_NAME=web', '--expose', '80']);
  const [, gateway = ''] = /inet (\S+)\//.exec(await succeed('ip', ['-4', 'addr', 'show', 'docker0'])) ?? [];
  await eventually(async () =>
    expect(dataOf(await dig('web.service.consul', { server: gateway, port: 53 }))).toHaveLength(1),
  );
  const warnings = daemon.log.filter(({ msg }) => msg.includes('--docker-bridge'));
  expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringMatching(/using docker0 as Docker's bridge/)]);
  for (const args of [['ps'], ['status'], ['dns-args'], ['doctor'], ['docker-bridge-ip']]) {
    const { stdout, stderr } = await daemon.command(...args);
    expect(stdout + stderr, args.join(' ')).not.toMatch(/<\/?(html|body|h1)>/i);
  }
  expect(daemon.output).not.toMatch(/<\/?(html|body|h1)>/i);
});
