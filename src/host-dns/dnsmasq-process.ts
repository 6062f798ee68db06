import { readdir, readFile, readlink } from 'node:fs/promises';
import ipaddr from 'ipaddr.js';

const DNS_PORT = 53;

/** The command line of the dnsmasq that answers DNS at an address of this host; undefined where there is none. */
export async function dnsmasqAt(ip: string): Promise<readonly string[] | undefined> {
  const tables = await Promise.all(
    ['/proc/thread-self/net/udp', '/proc/thread-self/net/udp6'].map(readOrNothing),
  );
  const inodes = tables.flatMap((table) => socketsAt(table, ip));
  if (inodes.length === 0) return undefined;
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if ((await readOrNothing(`/proc/${pid}/comm`)) !== 'dnsmasq\n') continue;
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const open = await Promise.all(files.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
    if (open.some((file) => sockets.has(file)))
      return argumentsIn(await readOrNothing(`/proc/${pid}/cmdline`));
  }
  return undefined;
}

const readOrNothing = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

const argumentsIn = (cmdline: string): readonly string[] =>
  cmdline.split('\0').filter((argument) => argument !== '');

/** The inodes of the sockets in a table of /proc/net/udp that receive packets to port 53 of an address. */
export function socketsAt(table: string, ip: string): readonly string[] {
  const wanted = ipaddr.parse(ip);
  const rows = table.split('\n').slice(1);
  return rows.flatMap((row) => {
    const fields = row.trim().split(/\s+/);
    const [address = '', port] = (fields[1] ?? '').split(':');
    const inode = fields[9];
    if (inode === undefined || Number.parseInt(port ?? '', 16) !== DNS_PORT) return [];
    const bound = ipaddr.fromByteArray(bytesOf(address));
    const matches =
      bound.range() === 'unspecified'
        ? bound.kind() === wanted.kind()
        : bound.toString() === wanted.toString();
    return matches ? [inode] : [];
  });
}

/** The kernel prints each 32 bits of an address as a number in host byte order: little-endian. */
function bytesOf(hex: string): number[] {
  return [...Buffer.from(hex, 'hex').swap32()];
}
