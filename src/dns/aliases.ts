import dnsPacket from 'dns-packet';
import type { OtherNames } from './other-names.ts';
import { decodedReply, withOwner } from './wire/decoded.ts';
import { HEADER_BYTES } from './wire/message.ts';
import { isName, isWithin } from './wire/name.ts';
import { renamed } from './wire/renamed.ts';
import { emptyReply, type Question, type RelayedReply, type Resolved, type Zone } from './zone.ts';

/** An answer with more records than this is not a bare chain of aliases. */
const MAX_RECORDS = 32;
/** How often aliases of other servers may lead one question back to our own names. Consul has the same bound. */
const MAX_RETURNS = 3;
/** These types ask for the alias itself, or for all records. */
const UNFOLLOWED: ReadonlySet<string> = new Set(['CNAME', 'ANY']);
const REVERSE = ['in-addr.arpa', 'ip6.arpa'];

export interface AliasZoneNeeds {
  /** Answers names outside our own domains. */
  readonly others: OtherNames;
  /** The zones of our own names, in the order in which they are asked. */
  readonly own: readonly Zone[];
}

interface Alias {
  readonly name: string;
  readonly ttl: number;
  readonly type: 'CNAME';
  readonly data: string;
}

/**
 * Names outside our own domains. If such a name is an alias of one of ours, our records are added behind the alias:
 * no other server can follow it. External clients get neither, since they may not ask for such names.
 */
export class AliasZone implements Zone {
  readonly name = 'forward';
  readonly #needs: AliasZoneNeeds;
  readonly #domains: readonly string[];

  constructor(needs: AliasZoneNeeds, options: { readonly ownDomains: readonly string[] }) {
    this.#needs = needs;
    this.#domains = [...options.ownDomains.map((domain) => domain.toLowerCase()), ...REVERSE];
  }

  async resolve(question: Question): Promise<Resolved> {
    const reply = await this.#needs.others.resolve(question);
    if (!reply || !('message' in reply) || UNFOLLOWED.has(question.type)) return reply;
    const aliases = this.#aliasesToOwnNames(reply, question);
    return aliases ? ((await this.#follow(question, aliases)) ?? reply) : reply;
  }

  /** The chain of aliases from the name to one of ours; undefined if there is none. */
  #aliasesToOwnNames({ message }: RelayedReply, question: Question): readonly Alias[] | undefined {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
    const count = bytes.readUInt16BE(6);
    if (count === 0 || count > MAX_RECORDS) return undefined;
    const aliases = aliasesIn(bytes, question);
    const path: Alias[] = [];
    for (let name = question.name; path.length <= aliases.length; ) {
      const next = aliases.find((alias) => alias.name.toLowerCase() === name);
      if (next === undefined) return undefined;
      path.push(next);
      name = next.data.toLowerCase();
      if (this.#isOwn(name)) return path;
    }
    return undefined;
  }

  #isOwn(name: string): boolean {
    return this.#domains.some((domain) => isWithin(name, domain));
  }

  async #follow(question: Question, aliases: readonly Alias[]): Promise<Resolved> {
    const aliasReturns = (question.aliasReturns ?? 0) + 1;
    const target = aliases.at(-1)?.data;
    if (target === undefined) return undefined;
    if (aliasReturns > MAX_RETURNS) return { ...emptyReply('NOERROR'), answers: aliases };
    const next = renamed({ ...question, aliasReturns }, target);
    if (!next) return undefined;
    for (const zone of this.#needs.own) {
      const found = await zone.resolve(next);
      if (!found) continue;
      const reply = 'message' in found ? decoded(found, next) : found;
      if (!reply) return undefined;
      const { rcode, answers, authorities, additionals } = reply;
      return { ...emptyReply(rcode), answers: [...aliases, ...answers], authorities, additionals };
    }
    return undefined;
  }
}

function aliasesIn(message: Buffer, { asked, bytes, name: own }: Question): readonly Alias[] {
  try {
    const copy = Buffer.from(message);
    // The query had letters of random case. Names in the answer point to that name or repeat its letters.
    copy.set(bytes, HEADER_BYTES);
    return (dnsPacket.decode(copy).answers ?? []).flatMap((record): Alias[] => {
      if (record.type !== 'CNAME' || !isName(record.name) || !isName(record.data)) return [];
      const { ttl = 0, data, name } = record;
      // A TTL with the highest bit set counts as 0 (RFC 2181 §8).
      const seconds = ttl < 2 ** 31 ? ttl : 0;
      return [{ name: name.toLowerCase() === own ? asked : name, ttl: seconds, type: 'CNAME', data }];
    });
  } catch {
    return [];
  }
}

function decoded({ message }: RelayedReply, { name, asked }: Question) {
  const reply = decodedReply(Buffer.from(message));
  return reply && withOwner(reply, name, asked);
}
