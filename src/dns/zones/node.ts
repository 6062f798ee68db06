import type { NodeEntry } from '../../registry/registry.ts';
import { emptyReply, type Reply, type ResourceRecord } from '../zone.ts';
import { parseEndpoint } from './endpoint.ts';
import { addressRecord } from './instances.ts';

/** The reply for a node: its address, with its metadata as additionals, or as answers if the type asks for them. */
export function nodeReply(
  { address, meta }: NodeEntry,
  { owner, type }: { readonly owner: string; readonly type: string },
  ttl: number,
): Reply {
  const texts = Object.entries(meta).map(
    ([key, value]): ResourceRecord => ({ name: owner, ttl, type: 'TXT', data: [metaText(key, value)] }),
  );
  const addresses = type === 'TXT' ? [] : nodeAddress(address, { owner, type }, ttl);
  // Consul's empty answers for nodes have no SOA.
  return type === 'TXT' || type === 'ANY'
    ? { ...emptyReply('NOERROR', true), answers: [...addresses, ...texts] }
    : { ...emptyReply('NOERROR', true), answers: addresses, additionals: texts };
}

function nodeAddress(
  address: string,
  { owner, type }: { readonly owner: string; readonly type: string },
  ttl: number,
): readonly ResourceRecord[] {
  const endpoint = parseEndpoint(address);
  if (!endpoint) return [];
  if ('host' in endpoint) return [{ name: owner, ttl, type: 'CNAME', data: endpoint.host }];
  const record = addressRecord(owner, ttl, endpoint);
  return type === 'ANY' || type === record.type ? [record] : [];
}

/** A key with this prefix marks a note: the TXT record holds only its value, as in Consul. */
const NOTE = 'rfc1035-';

/** One metadata pair in the form of RFC 1464 §2: backquotes, equal signs and outer spaces of the key are quoted. */
export function metaText(key: string, value: string): string {
  if (key.toLowerCase().startsWith(NOTE)) return value;
  const quoted = key
    .replaceAll('`', '``')
    .replaceAll('=', '`=')
    .replace(/^ +| +$/g, (spaces) => '` '.repeat(spaces.length));
  return `${quoted}=${value.replaceAll('`', '``')}`;
}
