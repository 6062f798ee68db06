import { isIP } from 'node:net';
import dnsPacket from 'dns-packet';
import ipaddr from 'ipaddr.js';
import { HeddleError } from '../errors.ts';
import { isName } from './wire/name.ts';

/** Sends one query; undefined without an answer. */
export type Ask = (query: Buffer) => Buffer | undefined | Promise<Buffer | undefined>;

/**
 * Looks up a name or an address, with the results of `dig +short`: the addresses of a name, IPv4 first, or the names
 * of an address. Empty if the name does not exist.
 * @throws HeddleError `bad-input` for an invalid name; `unreachable` without a usable answer
 */
export async function lookUp(nameOrAddress: string, ask: Ask): Promise<readonly string[]> {
  if (isIP(nameOrAddress)) return await recordData(reverseName(nameOrAddress), 'PTR', ask);
  const name = nameOrAddress.replace(/\.$/, '');
  if (!isName(name))
    throw new HeddleError('bad-input', `'${nameOrAddress}' is neither a name nor an address`);
  return [...(await recordData(name, 'A', ask)), ...(await recordData(name, 'AAAA', ask))];
}

async function recordData(name: string, type: 'A' | 'AAAA' | 'PTR', ask: Ask): Promise<string[]> {
  const flags = dnsPacket.RECURSION_DESIRED;
  const reply = await ask(dnsPacket.encode({ type: 'query', flags, questions: [{ name, type }] }));
  const decoded = reply && dnsPacket.decode(reply);
  // dns-packet's types leave the response code out.
  const rcode = (decoded as { readonly rcode?: string } | undefined)?.rcode;
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') {
    throw new HeddleError('unreachable', `cannot look up ${name}: ${rcode ?? 'no answer'}`);
  }
  return (decoded?.answers ?? []).flatMap((record) => (record.type === type ? String(record.data) : []));
}

/** The reverse name of an address, which owns its PTR records (RFC 1035 §3.5, RFC 3596 §2.5). */
export function reverseName(ip: string): string {
  const address = ipaddr.parse(ip);
  if (address.kind() === 'ipv4') return `${address.toString().split('.').reverse().join('.')}.in-addr.arpa`;
  const digits = Buffer.from(address.toByteArray()).toString('hex');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}
