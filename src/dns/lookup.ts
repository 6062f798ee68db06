import { isIP } from 'node:net';
import dnsPacket from 'dns-packet';
import ipaddr from 'ipaddr.js';
import { HeddleError } from '../errors.ts';
import { isName } from './wire/name.ts';

/** Has one query answered; undefined where nobody answers. */
export type Ask = (query: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;

/**
 * Looks a name or an address up, as `dig +short` prints it: the addresses of a name, IPv4 first, or the names of an
 * address. None where there is no such name.
 * @throws HeddleError `bad-input` for what is no name; `unreachable` when it cannot be answered now
 */
export async function lookUp(word: string, ask: Ask): Promise<readonly string[]> {
  if (isIP(word)) return await one(reverseName(word), 'PTR', ask);
  const name = word.replace(/\.$/, '');
  if (!isName(name)) throw new HeddleError('bad-input', `'${word}' is neither a name nor an address`);
  return [...(await one(name, 'A', ask)), ...(await one(name, 'AAAA', ask))];
}

async function one(name: string, type: 'A' | 'AAAA' | 'PTR', ask: Ask): Promise<string[]> {
  const flags = dnsPacket.RECURSION_DESIRED;
  const reply = await ask(dnsPacket.encode({ type: 'query', flags, questions: [{ name, type }] }));
  const decoded = reply && dnsPacket.decode(reply);
  // dns-packet's types leave the response code out.
  const rcode = (decoded as { readonly rcode?: string } | undefined)?.rcode;
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') {
    throw new HeddleError('unreachable', `cannot look ${name} up: ${rcode ?? 'no answer'}`);
  }
  return (decoded?.answers ?? []).flatMap((record) => (record.type === type ? String(record.data) : []));
}

/** The name below which the names of an address stand (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(ip: string): string {
  const address = ipaddr.parse(ip);
  if (address.kind() === 'ipv4') return `${address.toString().split('.').reverse().join('.')}.in-addr.arpa`;
  const digits = Buffer.from(address.toByteArray()).toString('hex');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
