import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../src/docker/inspect.ts';

/** An inspection as every engine answers it, with a test's additions. */
function inspect(more: Record<string, unknown> = {}): ContainerInspectInfo {
  return {
    Id: 'c0ffee'.padEnd(64, '0'),
    Name: '/web',
    State: {
      Running: true,
      Paused: false,
      Restarting: false,
      Dead: false,
      Pid: 42,
      ExitCode: 0,
      StartedAt: 'now',
    },
    Config: { Image: 'nginx:1.9', Env: [], Labels: {}, Hostname: 'web', Domainname: '' },
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Ports: {}, Networks: {} },
    ...more,
  } as unknown as ContainerInspectInfo;
}

const state = (more: Record<string, unknown>) => inspect({ State: { ...inspect().State, ...more } });

describe('a snapshot of a container', () => {
  it('keeps the name without the slash, the image as given and the pid', () => {
    const { name, image, pid, running } = snapshotOf(inspect());
    expect({ name, image, pid, running }).toEqual({
      name: 'web',
      image: 'nginx:1.9',
      pid: 42,
      running: true,
    });
  });

  it.each([
    [{}, { signal: 15, timeout: 10 }],
    [
      { StopSignal: 'SIGQUIT', StopTimeout: 2 },
      { signal: 3, timeout: 2 },
    ],
    [
      { StopSignal: 'usr1', StopTimeout: 0 },
      { signal: 10, timeout: 0 },
    ],
    [{ StopSignal: '3' }, { signal: 3, timeout: 10 }],
    [{ StopSignal: 'SIGRTMIN+3' }, { signal: 37, timeout: 10 }],
    [{ StopSignal: 'RTMAX-1' }, { signal: 63, timeout: 10 }],
    [
      { StopSignal: 'SIGNONSENSE', StopTimeout: null },
      { signal: 15, timeout: 10 },
    ],
  ])('reads the stop signal and timeout from %j', (config, expected) => {
    expect(snapshotOf(inspect({ Config: { ...inspect().Config, ...config } })).stop).toEqual(expected);
  });

  it.each([
    [{}, false],
    [{ CapAdd: null, Privileged: false }, false],
    [{ CapAdd: ['NET_RAW', 'CAP_SYS_PTRACE'] }, false],
    [{ CapAdd: ['CAP_NET_ADMIN'] }, true],
    [{ CapAdd: ['SYS_PTRACE', 'net_admin'] }, true],
    [{ CapAdd: ['ALL'] }, true],
    [{ Privileged: true }, true],
  ])('reads from %j whether the container may set its own addresses', (rights, expected) => {
    expect(snapshotOf(inspect({ HostConfig: rights })).hasNetAdmin).toBe(expected);
  });

  it('distinguishes labels from variables', () => {
    const config = { Env: ['A=1', 'B=2'], Labels: { B: '3' } };
    const { labelNames, metadata } = snapshotOf(inspect({ Config: { ...inspect().Config, ...config } }));
    expect([...labelNames]).toEqual(['B']);
    expect(metadata.get('B')).toBe('3');
  });

  it.each([
    ['running', {}, { running: true, paused: false, pid: 42, exitCode: null }],
    [
      'paused: it lives, but cannot answer',
      { Paused: true },
      { running: false, paused: true, pid: 42, exitCode: null },
    ],
    [
      'between two runs of a restart policy',
      { Restarting: true, ExitCode: 3 },
      { running: false, paused: false, pid: 0, exitCode: 3 },
    ],
    ['dead', { Dead: true, Running: true }, { running: false, paused: false, pid: 0, exitCode: 0 }],
    [
      'ended',
      { Running: false, Pid: 0, ExitCode: 137 },
      { running: false, paused: false, pid: 0, exitCode: 137 },
    ],
  ])('%s', (_, more, expected) => {
    expect(snapshotOf(state(more))).toMatchObject(expected);
  });

  it('merges environment and labels: a label overrides a variable, a value may contain an equals sign, a variable without one is dropped', () => {
    const { metadata } = snapshotOf(
      inspect({
        Config: {
          ...inspect().Config,
          Env: ['SERVICE_NAME=env', 'URL=http://x?a=b', 'EMPTY=', 'BARE', '=odd'],
          Labels: { SERVICE_NAME: 'label', 'heddle.cidr': '10.2.1.1/16' },
        },
      }),
    );
    expect(Object.fromEntries(metadata)).toEqual({
      SERVICE_NAME: 'label',
      URL: 'http://x?a=b',
      EMPTY: '',
      'heddle.cidr': '10.2.1.1/16',
    });
  });

  it('lists exposed and published ports in order, and ignores invalid ones', () => {
    const { ports } = snapshotOf(
      inspect({
        Config: {
          ...inspect().Config,
          ExposedPorts: { '53/udp': {}, '53/tcp': {}, 'web/tcp': {}, '80/tcp': {} },
        },
        NetworkSettings: {
          Networks: {},
          Ports: {
            '80/tcp': [
              { HostIp: '', HostPort: '8080' },
              { HostIp: '::', HostPort: '8080' },
            ],
            '53/tcp': null,
          },
        },
      }),
    );
    expect(ports).toEqual([
      { port: 53, protocol: 'tcp', published: [] },
      { port: 53, protocol: 'udp', published: [] },
      {
        port: 80,
        protocol: 'tcp',
        published: [
          { hostIp: '0.0.0.0', hostPort: 8080 },
          { hostIp: '::', hostPort: 8080 },
        ],
      },
    ]);
  });

  it.each([
    [undefined, 'none'],
    ['none', 'none'],
    ['starting', 'starting'],
    ['unhealthy', 'unhealthy'],
  ])('reads the health %s as %s', (status, health) => {
    expect(snapshotOf(state(status ? { Health: { Status: status } } : {})).health).toBe(health);
  });

  it('accepts an engine that omits all optional fields', () => {
    expect(snapshotOf({ Id: 'a', Image: 'sha256:1' } as unknown as ContainerInspectInfo)).toMatchObject({
      id: 'a',
      name: '',
      image: 'sha256:1',
      running: false,
      pid: 0,
      ports: [],
      networks: [],
      aliases: [],
    });
  });
});
