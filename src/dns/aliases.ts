import dnsPacket from 'dns-packet';
import type { OtherNames } from './other-names.ts';
import { decodedReply, withOwner } from './wire/decoded.ts';
import { HEADER_BYTES } from './wire/message.ts';
import { isName, isWithin } from './wire/name.ts';
import { renamed } from './wire/renamed.ts';
import { emptyReply, type Question, type RelayedReply, type Resolved, type Zone } from './zone.ts';

/** Answers of more records than this are no aliases with nothing behind them. */
const MAX_RECORDS = 32;
/** Times that one question is led back to our own names by others; Consul follows as many. */
const MAX_RETURNS = 3;
/** These ask for the alias itself, or for all that there is. */
const UNFOLLOWED: ReadonlySet<string> = new Set(['CNAME', 'ANY']);
const REVERSE = ['in-addr.arpa', 'ip6.arpa'];

export interface AliasZoneNeeds {
  /** Answers for the names of others. */
  readonly others: OtherNames;
  /** Answer for our own names, in this order. */
  readonly own: readonly Zone[];
}

interface Alias {
  readonly name: string;
  readonly ttl: number;
  readonly type: 'CNAME';
  readonly data: string;
}

/**
 * The names of others; where these are aliases of ours, which no other server can follow, ours are answered behind
 * them. A client is answered here only what it may ask: strangers get neither.
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
    const aliases = this.#aliasesToUs(reply, question);
    return aliases ? ((await this.#follow(question, aliases)) ?? reply) : reply;
  }

  /** The aliases that lead from the name to one of ours; undefined where none does. */
  #aliasesToUs({ message }: RelayedReply, question: Question): readonly Alias[] | undefined {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
    const count = bytes.readUInt16BE(6);
    if (count === 0 || count > MAX_RECORDS) return undefined;
    const known = aliasesIn(bytes, question);
    const path: Alias[] = [];
    for (let name = question.name; path.length <= known.length; ) {
      const next = known.find((alias) => alias.name.toLowerCase() === name);
      if (next === undefined) return undefined;
      path.push(next);
      name = next.data.toLowerCase();
      if (this.#isOurs(name)) return path;
    }
    return undefined;
  }

  #isOurs(name: string): boolean {
    return this.#domains.some((domain) => isWithin(name, domain));
  }

  async #follow(question: Question, aliases: readonly Alias[]): Promise<Resolved> {
    const returns = (question.returns ?? 0) + 1;
    const target = aliases.at(-1)?.data;
    if (target === undefined) return undefined;
    if (returns > MAX_RETURNS) return { ...emptyReply('NOERROR'), answers: aliases };
    const next = renamed({ ...question, returns }, target);
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
    // It was asked for in letters of random case, which names in the answer share or repeat.
    copy.set(bytes, HEADER_BYTES);
    return (dnsPacket.decode(copy).answers ?? []).flatMap((record): Alias[] => {
      if (record.type !== 'CNAME' || !isName(record.name) || !isName(record.data)) return [];
      const { ttl = 0, data, name } = record;
      // With the highest bit set it is to be read as 0 (RFC 2181 §8).
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
