import { describe, expect, test } from 'vitest';
import { bridgeOf } from '../../src/docker/bridge.ts';
import type { DockerClient } from '../../src/docker/client.ts';
import { DockerEngine } from '../../src/docker/engine.ts';

const none = () => undefined;
const ipam = (...gateways: string[]) => ({
  Driver: 'default',
  Config: gateways.map((Gateway) => ({ Subnet: '10.88.0.0/16', Gateway })),
});

describe("the bridge of an engine's default network", () => {
  test('is the one that Docker names', () => {
    const answer = { Name: 'bridge', Options: { 'com.docker.network.bridge.name': 'weave' }, IPAM: ipam() };
    expect(bridgeOf(answer, none)).toEqual({ device: 'weave', isKnown: true });
  });

  test("is the device with the gateway's address, if podman names none", () => {
    const answer = { Name: 'bridge', Options: {}, IPAM: ipam('fd00::1', '10.88.0.1') };
    const deviceWith = (ip: string) => (ip === '10.88.0.1' ? 'cni-podman0' : undefined);
    expect(bridgeOf(answer, deviceWith)).toEqual({ device: 'cni-podman0', isKnown: true });
  });

  test.each([
    [
      'podman before its first container',
      { Name: 'podman', Options: {}, IPAM: ipam('10.88.0.1') },
      'podman0',
    ],
    ['podman under the name of Docker', { Name: 'bridge', Options: {}, IPAM: ipam('10.88.0.1') }, 'podman0'],
    ['podman with no options at all', { Name: 'bridge', Options: null }, 'podman0'],
    ['Docker without that one option', { Name: 'bridge', Options: { mtu: '1500' } }, 'docker0'],
    [
      'parts of other types',
      { Name: 'podman', Options: 'x', IPAM: { Config: [{ Gateway: 4 }, null] } },
      'podman0',
    ],
  ])('is a guess with %s', (_, answer, device) => {
    expect(bridgeOf(answer, none)).toEqual({ device, isKnown: false });
  });

  test.each([null, 'text', 7, {}, { Name: 7 }, { Id: 5, Name: '' }])('is not read from %j', (answer) => {
    expect(() => bridgeOf(answer, none)).toThrow();
  });
});

test('a guess holds until the bridge exists, and a known bridge is requested once', async () => {
  const answers = ['192.0.2.1', '127.0.0.1'].map((gateway) => ({ Name: 'podman', IPAM: ipam(gateway) }));
  const inspect = async () => answers.shift() ?? expect.unreachable();
  const call = (_: string, ask: (client: object) => unknown) => ask({ getNetwork: () => ({ inspect }) });
  const engine = new DockerEngine({ address: 'unix:///x', call } as unknown as DockerClient);
  expect([await engine.bridgeDevice(), await engine.bridgeDevice(), await engine.bridgeDevice()]).toEqual([
    ...['podman0', 'lo', 'lo'],
  ]);
});
