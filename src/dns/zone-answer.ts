import { isIP } from 'node:net';
import dnsPacket from 'dns-packet';
import { HeddleError } from '../errors.ts';
import { relayedRcode } from './forward/relay.ts';
import { reverseName } from './lookup.ts';
import type { Resolution } from './resolve.ts';
import { readQuery } from './wire/message.ts';
import { isBelow, isName, isWithin } from './wire/name.ts';
import { type Question, type ResourceRecord, rcodeName } from './zone.ts';
import { parseServiceName } from './zones/service-names.ts';

/** The DNS answer for a name, and the zone that gives it. */
export interface ZoneAnswer {
  /** The name as asked, without a final dot. */
  readonly name: string;
  /** `service`, `weave`, `reverse`, `special-use`, `consul`, `forward`; or `none`. */
  readonly zone: string;
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, … */
  readonly rcode: string;
  /** Addresses, names, and `alias of NAME`. */
  readonly answers: readonly string[];
  /** The reason, if the response code alone does not explain the answer. */
  readonly why?: string;
}

export interface ZoneNames {
  readonly domain: string;
  readonly altDomain?: string | undefined;
  readonly weaveDomain: string;
  readonly datacenter: string;
}

type Resolver = { resolve(question: Question): Promise<Resolution> };

/**
 * Asks every name that the text can mean, as a container of this host would ask it. An address means its reverse name;
 * a name of one of our domains means itself; a single label means a service and a container. Any other name means a
 * service with a tag, or, if there is no such service, a name outside our domains.
 * @throws HeddleError `bad-input` for an invalid name
 */
export async function askZones(
  nameOrAddress: string,
  resolver: Resolver,
  names: ZoneNames,
): Promise<readonly ZoneAnswer[]> {
  const ask = async (name: string) => withReason(await askOne(name, resolver), names);
  if (isIP(nameOrAddress)) return [await ask(reverseName(nameOrAddress))];
  const name = nameOrAddress.replace(/\.$/, '');
  if (!isName(name))
    throw new HeddleError('bad-input', `'${nameOrAddress}' is neither a name nor an address`);
  const service = `${name}${/(^|\.)service$/i.test(name) ? '' : '.service'}.${names.domain}`;
  if (isOwn(name, names) || !isName(service)) return [await ask(name)];
  const asService = await ask(service);
  if (name.includes('.') && asService.rcode === 'NOERROR') return [asService];
  return [asService, await ask(name)];
}

function isOwn(name: string, { domain, altDomain, weaveDomain }: ZoneNames): boolean {
  const lower = name.toLowerCase();
  const domains = [domain, altDomain, weaveDomain, 'in-addr.arpa', 'ip6.arpa', 'localhost'];
  return domains.some((own) => own !== undefined && isWithin(lower, own.toLowerCase()));
}

async function askOne(name: string, resolver: Resolver): Promise<ZoneAnswer> {
  const all = await Promise.all(typesOf(name).map((type) => askType(name, type, resolver)));
  const best = all.find(({ rcode }) => rcode === 'NOERROR') ?? (all[0] as ZoneAnswer);
  return { ...best, answers: [...new Set(all.flatMap(({ answers }) => answers))] };
}

function typesOf(name: string): readonly ('A' | 'AAAA' | 'PTR' | 'SRV')[] {
  if (name.toLowerCase().endsWith('.arpa')) return ['PTR'];
  return name.startsWith('_') ? ['SRV'] : ['A', 'AAAA'];
}

async function askType(
  name: string,
  type: 'A' | 'AAAA' | 'PTR' | 'SRV',
  resolver: Resolver,
): Promise<ZoneAnswer> {
  const flags = dnsPacket.RECURSION_DESIRED;
  const packet = dnsPacket.encode({ type: 'query', flags, questions: [{ name, type }] });
  const received = readQuery(packet, '127.0.0.1', 'tcp');
  if (!received || !('query' in received)) return { name, zone: 'none', rcode: 'FORMERR', answers: [] };
  const { zone, reply } = await resolver.resolve(received.query.question);
  if (!('message' in reply))
    return { name, zone, rcode: reply.rcode, answers: reply.answers.flatMap(textOf) };
  return { name, zone, ...readMessage(Buffer.from(reply.message)) };
}

function readMessage(message: Buffer): Pick<ZoneAnswer, 'rcode' | 'answers'> {
  const rcode = rcodeName(relayedRcode(message)) ?? 'an error';
  try {
    return {
      rcode,
      answers: (dnsPacket.decode(message).answers ?? []).flatMap((one) => textOf(one as ResourceRecord)),
    };
  } catch {
    return { rcode, answers: [] };
  }
}

function textOf(record: ResourceRecord): readonly string[] {
  switch (record.type) {
    case 'A':
    case 'AAAA':
    case 'PTR':
      return [record.data];
    case 'CNAME':
      return [`alias of ${record.data}`];
    case 'SRV':
      return [`port ${record.data.port} of ${record.data.target}`];
    default:
      return [];
  }
}

/** Adds to a name of another datacenter that only Consul can answer it. */
function withReason(answer: ZoneAnswer, { domain, altDomain, datacenter }: ZoneNames): ZoneAnswer {
  if (answer.zone !== 'service' || answer.rcode !== 'NXDOMAIN') return answer;
  const lower = answer.name.toLowerCase();
  const own = [domain, altDomain?.toLowerCase()].find((one) => one !== undefined && isBelow(lower, one));
  if (own === undefined) return answer;
  const parsed = parseServiceName(lower.slice(0, -own.length - 1).split('.'), 'A');
  const onlyConsul = 'only Consul can answer it; set --consul-dns to the address of its DNS';
  if (parsed.kind === 'consul') return { ...answer, why: onlyConsul };
  if (!('datacenter' in parsed) || parsed.datacenter === undefined || parsed.datacenter === datacenter) {
    return answer;
  }
  return {
    ...answer,
    why: `${parsed.datacenter} is another datacenter than ours, ${datacenter}: ${onlyConsul}`,
  };
}
