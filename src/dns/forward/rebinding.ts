import ipaddr from 'ipaddr.js';
import type { Logger } from '../../runtime/log.ts';
import { FLAGS, HEADER_BYTES } from '../wire/message.ts';
import { isWithin } from '../wire/name.ts';
import { nameAt } from '../wire/names-in.ts';
import { recordsOf, type WireRecord } from '../wire/records.ts';
import type { Question } from '../zone.ts';
import { failure } from './upstream/reply.ts';

export interface RebindingOptions {
  /** Domains whose names may have private addresses; no other name may. */
  readonly exceptions: readonly string[];
  /** Domains that are answered here: an alias from outside to one of them counts as a private address. */
  readonly ownDomains: readonly string[];
}

/** Ranges that are not public, by their names in ipaddr.js. */
const PRIVATE: ReadonlySet<string> = new Set([
  'private',
  'loopback',
  'linkLocal',
  'unspecified',
  'uniqueLocal',
  'carrierGradeNat',
  'deprecatedSiteLocal',
]);
/** IPv6 ranges that contain an IPv4 address in their last four bytes. */
const WITH_IPV4: ReadonlySet<string> = new Set(['ipv4Mapped', 'rfc6052', 'rfc6145']);
/** SVCB and HTTPS: the parameters that hint at addresses (RFC 9460 §7.3), and the length of an address. */
const HINTS: ReadonlyMap<number, number> = new Map([
  [4, 4],
  [6, 16],
]);
/** At most one log line in this time, in milliseconds. */
const QUIET_MS = 1_000;

/**
 * Removes private addresses from answers for external names. Otherwise a web page whose name suddenly resolves to a
 * machine in the reader's network could access that machine.
 */
export class RebindingGuard {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #exceptions: readonly string[];
  readonly #ownDomains: readonly string[];
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(needs: { readonly log: Pick<Logger, 'warn'> }, { exceptions, ownDomains }: RebindingOptions) {
    this.#log = needs.log;
    this.#exceptions = exceptions.map((domain) => domain.toLowerCase());
    this.#ownDomains = ownDomains.map(onWire);
  }

  /** The message, or one without records if it resolves an external name to a private address. */
  screen(question: Question, message: Buffer): Buffer {
    const { name } = question;
    if (this.#exceptions.some((domain) => isWithin(name, domain))) return message;
    const records = recordsOf(message, HEADER_BYTES + question.bytes.length);
    if (!records.some((record) => this.#isPrivate(message, record))) return message;
    this.#warn(question);
    return failure(question, message.readUInt16BE(2) & FLAGS.rcode);
  }

  #isPrivate(message: Buffer, { section, type, dataAt, end }: WireRecord): boolean {
    const data = message.subarray(dataAt, end);
    if (type === 'A' || type === 'AAAA') return isPrivate(data);
    if (type === 'HTTPS' || type === 'TYPE64') return hintsOf(message, dataAt, end).some(isPrivate);
    return type === 'CNAME' && section === 'answer' && this.#isOurs(nameAt(message, dataAt));
  }

  #isOurs(name: Buffer): boolean {
    const text = name.toString('latin1');
    return this.#ownDomains.some((own) => text.endsWith(own));
  }

  #warn({ asked, type }: Question): void {
    const now = performance.now();
    if (now - this.#warnedAt < QUIET_MS) return;
    this.#warnedAt = now;
    this.#log.warn(
      `${type} ${asked}: the answer contains a private address (DNS rebinding?), so its records are removed; ` +
        'if the address is right, add the domain to --rebind-ok',
    );
  }
}

function isPrivate(bytes: Uint8Array): boolean {
  if (bytes.length !== 4 && bytes.length !== 16) return false;
  const range = ipaddr.fromByteArray([...bytes]).range();
  return PRIVATE.has(range) || (WITH_IPV4.has(range) && isPrivate(bytes.subarray(12)));
}

/** The address hints of a service binding, as far as it is well formed. */
function hintsOf(message: Buffer, dataAt: number, end: number): readonly Uint8Array[] {
  const hints: Uint8Array[] = [];
  let at = dataAt + 2;
  // The target is never compressed (RFC 9460 §2.2).
  while (at < end && message[at] !== 0) at += 1 + (message[at] as number);
  at += 1;
  while (at + 4 <= end) {
    const [key, length] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)];
    const [start, stop] = [at + 4, Math.min(end, at + 4 + length)];
    const bytes = HINTS.get(key);
    for (let hint = start; bytes && hint + bytes <= stop; hint += bytes) {
      hints.push(message.subarray(hint, hint + bytes));
    }
    at = start + length;
  }
  return hints;
}

/** The bytes of a domain in lower case. */
function onWire(domain: string): string {
  const labels = domain.toLowerCase().split('.');
  return `${labels.map((label) => `${String.fromCharCode(label.length)}${label}`).join('')}\0`;
}
