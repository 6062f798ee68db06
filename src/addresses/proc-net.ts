import { HeddleError, systemCode } from '../errors.ts';
import type { Address } from '../network/address.ts';
import { familyOf, ipBytes, ipText } from '../network/cidr.ts';
import { readAtMost } from '../runtime/bounded-file.ts';

/** The files in `PROCFS/PID/net` about a network namespace, which every user may read. */
export interface ProcNet {
  readonly fibTrie: string;
  readonly route: string;
  /** Empty if IPv6 is disabled. */
  readonly ifInet6: string;
}

/**
 * Reads the addresses in a process's network namespace, without any privilege.
 * @param folder `/hostproc/1234/net`
 * @throws HeddleError `not-running` when there is no such process
 */
export async function readProcAddresses(folder: string): Promise<readonly Address[]> {
  try {
    const [fibTrie, route, ifInet6] = await Promise.all([
      readComplete(`${folder}/fib_trie`),
      readComplete(`${folder}/route`),
      readComplete(`${folder}/if_inet6`).catch((error: unknown) => {
        if (systemCode(error) === 'ENOENT') return '';
        throw error;
      }),
    ]);
    return parseProcNet({ fibTrie, route, ifInet6 });
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'EINVAL'].includes(systemCode(error) ?? '')) throw error;
    throw new HeddleError('not-running', `there is no ${folder}: the container has stopped`, {
      cause: error,
    });
  }
}

/** Enough for thousands of addresses. A container with NET_ADMIN can create more; then nothing is read. */
const MAX_BYTES = 1 << 20;

async function readComplete(path: string): Promise<string> {
  const text = await readAtMost(path, MAX_BYTES);
  if (text.length < MAX_BYTES) return text;
  throw new HeddleError('refused', 'the container has too many addresses or routes to read');
}

/**
 * Parses the files. The kernel lists IPv4 addresses there without their devices, so each is attributed to the device
 * with the longest connected route to it. The interface is empty if two devices have the same route or no device has one
 * (a separate /32, or a device that is down). One case cannot be detected: a /32 on `ethwe` inside `eth0`'s subnet is
 * attributed to `eth0`. IPv6 addresses are listed with their device.
 */
export function parseProcNet({ fibTrie, route, ifInet6 }: ProcNet): Address[] {
  const routes = connectedRoutes(route);
  const ipv4 = [...localAddresses(fibTrie)].map((ip): Address => {
    const value = numberOf(ip);
    const matching = routes.filter(({ destination, mask }) => (value & mask) >>> 0 === destination);
    const longest = Math.max(0, ...matching.map(({ prefixLength }) => prefixLength));
    const devices = new Set(
      matching.filter(({ prefixLength }) => prefixLength === longest).map(({ device }) => device),
    );
    const [device = ''] = devices;
    return {
      ip,
      prefixLength: matching.length > 0 ? longest : 32,
      family: 4,
      interface: devices.size === 1 ? device : '',
    };
  });
  return [...ipv4, ...ipv6Addresses(ifInet6)];
}

/** `|-- 10.2.1.1`, and below it `/32 host LOCAL`; each address appears in two tables. */
function localAddresses(fibTrie: string): ReadonlySet<string> {
  const found = new Set<string>();
  let leaf = '';
  for (const line of fibTrie.split('\n')) {
    const ip = /\|-- (\S+)/.exec(line)?.[1];
    if (ip !== undefined) leaf = familyOf(ip) === 4 ? ip : '';
    else if (leaf && !leaf.startsWith('127.') && line.includes('/32 host LOCAL')) found.add(leaf);
  }
  return found;
}

interface ConnectedRoute {
  readonly device: string;
  readonly destination: number;
  readonly mask: number;
  readonly prefixLength: number;
}

/** Columns: interface, destination, gateway, flags, three counters, mask. Numbers are in the machine's byte order. */
function connectedRoutes(table: string): ConnectedRoute[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device = '', destination = '', gateway = '', , , , , maskText = ''] = line.split('\t');
      const mask = littleEndian(maskText);
      if (littleEndian(gateway) !== 0 || !mask) return [];
      return [{ device, destination: littleEndian(destination), mask, prefixLength: onesIn(mask) }];
    });
}

/** RFC 4291 scopes with the numbers of linux/ipv6.h; flags of linux/if_addr.h. */
const LINK_LOCAL = 0x20;
const DADFAILED = 0x08;
const TENTATIVE = 0x40;

/** Columns: address, device number, prefix length, scope, flags (all hexadecimal), device. */
function ipv6Addresses(table: string): Address[] {
  return table.split('\n').flatMap((line): Address[] => {
    const [hex = '', , prefix = '', scope = '', flags = '', device = ''] = line.trim().split(/\s+/);
    if (!/^[0-9a-f]{32}$/.test(hex) || device === 'lo') return [];
    if (Number.parseInt(scope, 16) === LINK_LOCAL) return [];
    if (Number.parseInt(flags, 16) & (DADFAILED | TENTATIVE)) return [];
    const prefixLength = Number.parseInt(prefix, 16);
    return [{ ip: ipText(Buffer.from(hex, 'hex')), prefixLength, family: 6, interface: device }];
  });
}

const numberOf = (ip: string): number => Buffer.from(ipBytes(ip)).readUInt32BE(0);

/** `0000020A` is 10.2.0.0. */
const littleEndian = (hex: string): number =>
  /^[0-9A-F]{8}$/.test(hex) ? Buffer.from(hex, 'hex').readUInt32LE(0) : 0;

const onesIn = (mask: number): number => Math.clz32(~mask);
