import type { ContainerInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import { listedOf } from '../../src/docker/list.ts';

const bridge = { EndpointID: 'e1', IPAddress: '172.17.0.2', GlobalIPv6Address: '' };
const other = { ...bridge, EndpointID: 'e2' };
const line = (changes: object = {}): ContainerInfo =>
  ({
    Id: 'a'.repeat(64),
    Names: ['/web'],
    State: 'running',
    Status: 'Up 2 hours (healthy)',
    NetworkSettings: { Networks: { bridge, other } },
    ...changes,
  }) as unknown as ContainerInfo;
const networks = (changes: object) => ({ NetworkSettings: { Networks: changes } });

describe("a line of the engine's list of containers", () => {
  it.each([
    ['it grows older', { Status: 'Up 3 hours (healthy)' }],
    ['its networks are listed in another order', networks({ other, bridge })],
  ])('has the same state when %s', (_, changes) => {
    expect(listedOf(line(changes))).toEqual(listedOf(line()));
  });

  it.each([
    ['it is paused', { State: 'paused' }],
    ['its health changes', { Status: 'Up 2 hours (unhealthy)' }],
    ['it is renamed', { Names: ['/shop'] }],
    ['it was restarted', networks({ bridge: { ...bridge, EndpointID: 'e9' }, other })],
    ['its address changes', networks({ bridge: { ...bridge, IPAddress: '172.17.0.9' }, other })],
    ['its IPv6 address changes', networks({ bridge: { ...bridge, GlobalIPv6Address: 'fd00::9' }, other })],
    ['it leaves a network', networks({ bridge })],
  ])('has another state when %s', (_, changes) => {
    expect(listedOf(line(changes)).state).not.toBe(listedOf(line()).state);
  });

  it('may lack optional fields', () => {
    expect(listedOf({ Id: 'b' } as ContainerInfo).id).toBe('b');
  });
});
