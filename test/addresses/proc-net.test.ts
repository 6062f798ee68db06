import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseProcNet, readProcAddresses } from '../../src/addresses/proc-net.ts';

/** Captured in a namespace with two interfaces, eth0 and ethwe, and a third one that is down. */
const folder = (sample: string): string =>
  fileURLToPath(new URL(`../data/proc-net/${sample}/net`, import.meta.url));
const sampled = (sample: string): string[] =>
  parseProcNet({
    fibTrie: readFileSync(`${folder(sample)}/fib_trie`, 'latin1'),
    route: readFileSync(`${folder(sample)}/route`, 'latin1'),
    ifInet6: readFileSync(`${folder(sample)}/if_inet6`, 'latin1'),
  }).map((address) => `${address.interface || '?'} ${address.ip}/${address.prefixLength} v${address.family}`);

const ETHWE_IPV6 = 'ethwe fd00:2::1/64 v6';

describe('addresses in /proc/PID/net', () => {
  test('belong to the device with the connected route; loopback and link-local ones are left out', () => {
    expect(sampled('attached')).toEqual([
      'ethwe 10.2.1.1/16 v4',
      'ethwe 10.2.1.2/16 v4',
      'eth0 172.17.0.2/16 v4',
      ETHWE_IPV6,
    ]);
  });

  test('have no known device if two have the same subnet', () => {
    expect(sampled('same-subnet')).toEqual([
      '? 10.2.1.1/16 v4',
      '? 10.2.1.2/16 v4',
      '? 10.2.200.1/16 v4',
      'eth0 172.17.0.2/16 v4',
      ETHWE_IPV6,
    ]);
  });

  test('have no device without a route; an address inside another subnet is attributed to that device', () => {
    expect(sampled('without-route')).toEqual([
      'ethwe 10.2.1.1/16 v4',
      'ethwe 10.2.1.2/16 v4',
      '? 10.9.9.9/32 v4', // a /32 on ethwe
      '? 10.44.0.1/32 v4', // on a device that is down
      'eth0 172.17.0.2/16 v4',
      'eth0 172.17.0.77/16 v4', // really a /32 on ethwe
      ETHWE_IPV6,
    ]);
  });

  test('of IPv6 are listed once they are verified as unique', () => {
    const line = (flags: string): string => `fd000002000000000000000000000001 05 40 00 ${flags}    ethwe\n`;
    const read = (ifInet6: string) => parseProcNet({ fibTrie: '', route: '', ifInet6 });
    expect(read(line('c0'))).toEqual([]);
    expect(read(line('88'))).toEqual([]);
    expect(read(line('80'))).toEqual([{ ip: 'fd00:2::1', prefixLength: 64, family: 6, interface: 'ethwe' }]);
  });

  test('are none if the files are empty or malformed', () => {
    expect(parseProcNet({ fibTrie: '', route: '', ifInet6: '' })).toEqual([]);
    const strange = '|-- 999.1.1.1\n /32 host LOCAL\neth0\t1\t2\nnonsense\n';
    expect(parseProcNet({ fibTrie: strange, route: strange, ifInet6: strange })).toEqual([]);
  });

  test('are read from a folder, and a missing folder means a stopped container', async () => {
    expect(await readProcAddresses(folder('attached'))).toHaveLength(4);
    const empty = await mkdtemp(join(tmpdir(), 'heddle-proc-'));
    await expect(readProcAddresses(empty)).rejects.toMatchObject({ code: 'not-running' });
    await rm(empty, { recursive: true });
  });
});
