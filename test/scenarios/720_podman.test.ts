import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { worldEngine } from '../../scripts/world/engine.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Daemon, HEDDLE, startDaemon } from '../support/heddle.ts';
import { runProgram } from '../support/program.ts';

/** podman's Docker-compatible API: registration and DNS work as with Docker. */
let consul: ConsulAgent;
let daemon: Daemon;

beforeAll(async () => {
  expect(worldEngine()).toBe('podman');
  consul = await startConsul();
  daemon = await startDaemon([consul.uri, '--ip', '192.168.0.10', '--address', 'ethwe,published,internal']);
});
afterEach(async () => {
  const ids = (await docker('ps', '--all', '--quiet')).split('\n').filter(Boolean);
  for (const id of ids) await docker('rm', '--force', id);
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await consul?.stop();
});

/** No --init: podman's API searches it in one place only, without this world's packages. */
const run = (name: string, flags: readonly string[] = [], command = ['sleep', '3600']) =>
  docker('run', '-d', '--name', name, '-e', `SERVICE_NAME=${name}`, ...flags, 'busybox', ...command);
const answer = async (name: string) => dataOf(await daemon.dig(`${name}.service.consul`));
const inConsul = async (name: string) =>
  dataOf(await dig(`${name}.service.consul`, { port: consul.dnsPort }));

test('doctor reports that the engine is podman', async () => {
  const { stdout } = await daemon.command('doctor', '--format', 'json');
  const findings = JSON.parse(stdout) as { subject: string; state: string; detail: string }[];
  expect(findings.find(({ subject }) => subject === 'docker')).toMatchObject({
    state: 'ok',
    detail: expect.stringMatching(/^podman, which speaks Docker's API, \d/),
  });
});

test('a container is registered and answered, through stop, start and removal', async () => {
  const id = await run('web', ['--expose', '80']);
  await eventually(async () => expect(await answer('web')).toHaveLength(1));
  const [address = ''] = await answer('web');
  expect(address).toMatch(/^10\.88\./);
  await eventually(async () => expect(await inConsul('web')).toEqual([address]));
  expect(dataOf(await daemon.dig('web.weave.local'))).toEqual([address]);
  const { stdout } = await daemon.command('ps');
  expect(stdout).toContain(`Docker gave it ${address} on network podman`);

  await docker('kill', id);
  await eventually(async () => expect([await answer('web'), await inConsul('web')]).toEqual([[], []]));
  await docker('start', id);
  await eventually(async () => expect(await inConsul('web')).toHaveLength(1));
  await docker('rm', '--force', id);
  await eventually(async () => expect([await answer('web'), await inConsul('web')]).toEqual([[], []]));
  expect((await daemon.command('ps')).stdout).not.toContain('web');
  // Its inspection is answered with 500 while it is being removed.
  expect(daemon.log.filter(({ level }) => level > 40)).toEqual([]);
});

test("a published port is announced at the host's address", async () => {
  await run('pub', ['-p', '18080:80']);
  await eventually(async () => {
    const [srv] = (await daemon.dig('pub.service.consul', { type: 'SRV' })).answers;
    expect(srv?.data).toMatch(/^1 1 18080 /);
  });
  expect(await answer('pub')).toEqual(['192.168.0.10']);
});

test("DNS is answered on podman's bridge, which its first container makes", async () => {
  await run('one');
  const gateway = '10.88.0.1';
  await eventually(async () =>
    expect(dataOf(await dig('one.weave.local', { server: gateway, port: 53 }))).toHaveLength(1),
  );
  const args = await daemon.command('dns-args');
  expect(args.stdout).toContain(`--dns ${gateway}`);
  const lookup = ['run', '--rm', '--dns', gateway, 'busybox', 'nslookup', 'one.weave.local'];
  expect(await docker(...lookup)).toMatch(/Address:? .*10\.88\./);
});

test('a container is attached, and detached', async () => {
  await run('att');
  expect((await daemon.command('attach', '10.2.1.1/16', 'att')).stdout).toBe('10.2.1.1\n');
  await eventually(async () => expect(await answer('att')).toEqual(['10.2.1.1']));
  expect(await docker('exec', 'att', 'ip', '-o', 'address', 'show', 'ethwe')).toContain('10.2.1.1/16');
  expect((await daemon.command('detach', '10.2.1.1/16', 'att')).status).toBe(0);
  await eventually(async () => expect(await answer('att')).not.toEqual(['10.2.1.1']));
});

test('a daemon without a state folder is the same host again, though podman has no id of its own', async () => {
  const machineId = (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim();
  const hostOf = async () => {
    await using folder = await temporaryFolder();
    const state = `${folder.path}/state`;
    const flags = ['--state-dir', state, '--socket', `${folder.path}/s`, '--no-dns', '--no-attach'];
    const untilItIsWritten = `"$@" & for i in $(seq 100); do [ -s ${state}/state.json ] && break; sleep 0.1; done; kill $!; wait`;
    await runProgram('sh', ['-c', untilItIsWritten, 'sh', HEDDLE, 'daemon', ...flags]);
    const text = await readFile(`${state}/state.json`, 'utf8');
    return (JSON.parse(text) as { hostId: string }).hostId;
  };
  expect(machineId).toMatch(/^[0-9a-f]{32}$/);
  // A daemon does not wait for ever for an engine that is slow, and this one starts programs to answer.
  await eventually(
    async () => {
      const hosts = [await hostOf(), await hostOf()];
      expect(hosts[0]).toMatch(/^[0-9a-f]{12}$/);
      expect(hosts[0]).toBe(hosts[1]);
    },
    { within: 60_000, every: 10 },
  );
});
