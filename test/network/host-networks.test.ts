import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatCidr } from '../../src/network/cidr.ts';
import { cachedHostNetworks, parseRoutes } from '../../src/network/host-networks.ts';

const HEADING = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const line = (device: string, destination: string, mask: string) =>
  `${device}\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0`;
const routes = (...lines: string[]) =>
  parseRoutes([HEADING, ...lines, ''].join('\n')).map(
    ({ network, device }) => `${formatCidr(network)} ${device}`,
  );

describe('the networks of the host’s routes', () => {
  it('are those of the table, except for rejecting routes', () => {
    expect(routes(line('docker0', '000011AC', '0000FFFF'), line('eth0', '0000000A', '000000FF'))).toEqual([
      '172.17.0.0/16 docker0',
      '10.0.0.0/8 eth0',
    ]);
    expect(routes(line('wg0', '0102030A', 'FFFFFFFF'), line('*', '00006464', '0000C0FF'))).toEqual([
      '10.3.2.1/32 wg0',
    ]);
  });

  it('exclude default routes, and the routes with which VPNs replace them', () => {
    expect(
      routes(
        line('eth0', '00000000', '00000000'),
        line('tun0', '00000000', '00000080'),
        line('tun0', '00000080', '00000080'),
      ),
    ).toEqual([]);
  });

  it('exclude a truncated line', () => {
    expect(routes('eth0\t0000000A\t000', '', 'nonsense')).toEqual([]);
  });
});

describe('cached networks', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('are read once, and again soon after', async () => {
    const read = vi.fn(async () => []);
    const networks = cachedHostNetworks(read);
    await Promise.all(Array.from({ length: 100 }, networks));
    expect(read).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(49);
    await networks();
    expect(read).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    await networks();
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('are read again at once after a failure', async () => {
    const read = vi.fn(async () => []).mockRejectedValueOnce(new Error('as a test wants it'));
    const networks = cachedHostNetworks(read);
    await expect(networks()).rejects.toThrow('as a test wants it');
    expect(await networks()).toEqual([]);
  });
});
