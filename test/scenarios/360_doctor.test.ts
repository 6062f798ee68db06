import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { findLinkKinds } from '../../src/doctor/link-kinds.ts';
import { ConsulAgent } from '../support/consul.ts';
import { removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { HEDDLE, heddle } from '../support/heddle.ts';
import { type Outcome, runProgram, succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

/** Bad states of a host, each made for real in this world, and what doctor says of them. */
interface Finding {
  readonly subject: string;
  readonly state: string;
  readonly detail: string;
  readonly advice: string;
}

const findingsOf = ({ stdout }: Outcome) => JSON.parse(stdout) as readonly Finding[];
const of = (findings: readonly Finding[], subject: string) =>
  findings.find((finding) => finding.subject === subject);

const consul = new ConsulAgent();
// A world has no default route, and doctor would report that.
const { daemon } = scenario({ consul, flags: [consul.uri, '--ip', '192.168.0.10'], keepContainers: true });
const doctor = async () => findingsOf(await daemon.command('doctor', '--format', 'json'));
beforeAll(() => daemon.command('create-bridge'));

/** Runs a command, runs doctor, and undoes the command. */
async function during(
  [program = '', ...args]: readonly string[],
  undo: readonly string[],
  look: () => Promise<readonly Finding[]> = doctor,
): Promise<readonly Finding[]> {
  await succeed(program, args);
  try {
    return await look();
  } finally {
    await succeed(undo[0] as string, undo.slice(1));
  }
}

describe('what is wrong with a host', () => {
  test('nothing: the only advice is to start a container', async () => {
    const findings = await doctor();
    for (const { subject, state, advice, detail } of findings) {
      if (subject === 'port 53')
        expect({ state, advice }).toEqual({
          state: 'unknown',
          advice: 'start one, then repeat this command',
        });
      else expect({ state, advice }, `${subject}: ${detail}`).toEqual({ state: 'ok', advice: '' });
    }
    const subjects = [
      'docker',
      'devices',
      'kernel',
      'firewall',
      'firewall IPv6',
      'nftables',
      'bridge',
      'clock',
      'clock Consul',
      'registry',
    ];
    expect(findings.map(({ subject }) => subject)).toEqual(expect.arrayContaining(subjects));
  });

  test('forwarding that is off', async () => {
    const off = ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=0'];
    const findings = await during(off, ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
    expect(of(findings, 'kernel')).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/forwarding is off/),
      advice: expect.stringContaining('sysctl -w net.ipv4.ip_forward=1'),
    });
  });

  test.each([
    ['iptables', 'firewall', 'FORWARD', /containers do not reach each other/],
    ['ip6tables', 'firewall IPv6', 'INPUT', /containers do not reach the resolver/],
  ])('flushed rules, where %s drops', async (command, subject, chain, detail) => {
    await succeed(command, ['-w', '-P', chain, 'DROP']);
    // The daemon would bring them back.
    await daemon.stop();
    const local = async () => findingsOf(await heddle(['--local', 'doctor', '--format', 'json']));
    try {
      const findings = await during([command, '-w', '-F', chain], [HEDDLE, 'create-bridge'], local);
      expect(of(findings, subject)).toMatchObject({
        state: 'failed',
        detail: expect.stringMatching(detail),
        advice: expect.stringContaining('heddle create-bridge'),
      });
      expect(of(await local(), subject)).toMatchObject({ state: 'ok' });
    } finally {
      await succeed(command, ['-w', '-P', chain, command === 'iptables' ? 'DROP' : 'ACCEPT']);
      await daemon.start();
    }
  });

  test('an nft table that drops what iptables accepts', async () => {
    const chain = '{ type filter hook forward priority 10; policy drop; }';
    await succeed('nft', ['add table inet strict']);
    const findings = await during(
      ['nft', `add chain inet strict passing ${chain}`],
      ['nft', 'delete table inet strict'],
    );
    expect(of(findings, 'nftables')).toEqual({
      subject: 'nftables',
      state: 'warning',
      detail: expect.stringMatching(
        /^table inet strict, chain passing, drops: containers may not reach each other/,
      ),
      advice: 'nft insert rule inet strict passing iifname weave oifname weave accept',
    });
  });

  test('a missing bridge', async () => {
    await removeContainers();
    await daemon.command('reset');
    expect(of(await doctor(), 'bridge')).toMatchObject({
      state: 'warning',
      advice: expect.stringContaining('heddle create-bridge'),
    });
    await daemon.command('create-bridge');
  });

  test('missing capabilities', async () => {
    const powerless = [
      '--bounding-set=-all',
      '--inh-caps=-all',
      HEDDLE,
      '--local',
      'doctor',
      '--format',
      'json',
    ];
    const findings = findingsOf(await runProgram('setpriv', powerless));
    expect(of(findings, 'capabilities')).toMatchObject({
      state: 'failed',
      detail: expect.stringMatching(/no NET_ADMIN.*no SYS_ADMIN/),
      advice: expect.stringMatching(/--cap-add NET_ADMIN --cap-add SYS_ADMIN/),
    });
    expect(of(findings, 'devices')).toMatchObject({
      state: 'unknown',
      detail: expect.stringContaining('not permitted'),
    });
    expect(of(findings, 'firewall')).toMatchObject({
      state: 'warning',
      advice: expect.stringContaining('NET_ADMIN'),
    });
  });

  test("a clock that differs from the engine's", async () => {
    // An engine an hour ahead, with every answer that doctor needs.
    const SystemTime = new Date(Date.now() + 3_600_000).toISOString();
    const engine = createServer((request, response) => {
      const isList = request.url?.includes('/containers/json');
      response.end(
        JSON.stringify(isList ? [] : { ApiVersion: '1.41', ID: 'X', ServerVersion: '20.10', SystemTime }),
      );
    }).listen(0, '127.0.0.1');
    await once(engine, 'listening');
    try {
      const { port } = engine.address() as AddressInfo;
      const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}` };
      const outcome = await heddle(['--local', 'doctor', '--format', 'json'], { env });
      expect(of(findingsOf(outcome), 'clock')).toMatchObject({
        state: 'warning',
        detail: expect.stringMatching(/^3[56]\d\d s away/),
        advice: expect.stringContaining('NTP'),
      });
    } finally {
      engine.close();
    }
  });

  test('a kernel that cannot make a device', async () => {
    expect(await findLinkKinds({ veth: 'CONFIG_VETH', nosuch: 'CONFIG_NOSUCH' })).toEqual({
      subject: 'devices',
      state: 'failed',
      detail: 'nosuch: Error: Unknown device type.',
      advice: 'load the module (modprobe nosuch), or take a kernel with CONFIG_NOSUCH',
    });
  });

  test('no daemon, container or image: the command itself checks, and asks Consul', async () => {
    const env = { HEDDLE_SOCKET: '/nowhere/heddle.sock', HEDDLE_IMAGE: 'heddle:nowhere' };
    const alone = (args: readonly string[], more = {}) => heddle(args, { env: { ...env, ...more } });
    const asked = await alone(['doctor', '--format', 'json'], { CONSUL_HTTP_ADDR: consul.uri });
    expect(asked).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/no daemon running.*heddle launch/),
    });
    expect(of(findingsOf(asked), 'registry')).toMatchObject({
      state: 'ok',
      detail: `${consul.uri} has a leader and is readable, but no daemon is running`,
    });
    expect(of(findingsOf(asked), 'clock Consul')).toMatchObject({ state: 'ok' });
    expect(of(findingsOf(asked), 'bridge')).toMatchObject({ state: 'ok' });
    const settings = await alone(['settings'], { HEDDLE_MTU: '1300' });
    expect(settings).toMatchObject({ status: 0, stdout: expect.stringMatching(/^mtu +1300 +HEDDLE_MTU$/m) });
    expect((await alone(['ps'])).status).toBe(3);
    const elsewhere = await alone(['doctor', '--format', 'json'], { DOCKER_HOST: 'tcp://127.0.0.1:9' });
    expect(elsewhere.status).toBe(1);
    expect(findingsOf(elsewhere).map(({ subject, state }) => [subject, state])).toEqual([
      ['docker', 'failed'],
      ['host', 'unknown'],
      ['registry', 'unknown'],
    ]);
  });

  test('an unreachable Consul', async () => {
    await consul.stop();
    await eventually(async () =>
      expect(of(await doctor(), 'registry')).toMatchObject({
        state: 'failed',
        detail: expect.stringMatching(/^consul.*away/),
        advice: expect.stringMatching(/^is Consul up/),
      }),
    );
  });
});
