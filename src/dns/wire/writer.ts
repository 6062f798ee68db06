import ipaddr from 'ipaddr.js';
import { HeddleError } from '../../errors.ts';
import type { ResourceRecord } from '../zone.ts';
import { labelBytes, MAX_LABEL, splitName } from './name.ts';
import { typeNumber } from './types.ts';

/** Compression pointers: two bits that no label has, and an offset of 14 bits (RFC 1035 §4.1.4). */
const POINTER = 0xc000;
const MAX_POINTER = 0x3fff;
const CLASS_IN = 1;
/** Text without escapes, of which only the dots differ on the wire: most names. An answer may hold thousands. */
const PLAIN_NAME = /^[\w-]+(?:\.[\w-]+)*$/;

/**
 * Writes one message, compresses names against those already written, and detects when it exceeds `limit`. dns-packet,
 * which decodes messages here, neither compresses names nor stops at a size.
 */
export class MessageWriter {
  readonly #buffer: Buffer;
  readonly #suffixes = new Map<string, number>();
  readonly #limit: number;
  #length = 0;
  #overflowed = false;

  constructor(limit: number) {
    this.#limit = limit;
    this.#buffer = Buffer.allocUnsafe(limit);
  }

  /** True once anything did not fit; the message is then unusable. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** The message so far. */
  finish(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    if (!this.#fits(bytes.length)) return;
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  uint8(value: number): void {
    if (!this.#fits(1)) return;
    this.#length = this.#buffer.writeUInt8(value, this.#length);
  }

  uint16(value: number): void {
    if (!this.#fits(2)) return;
    this.#length = this.#buffer.writeUInt16BE(value, this.#length);
  }

  uint32(value: number): void {
    if (!this.#fits(4)) return;
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
  }

  /** Writes a question section as received; later names are compressed against `asked`, its name. */
  question(bytes: Uint8Array, asked: string): void {
    let offset = this.#length;
    const labels = splitName(asked);
    labels.forEach((label, index) => {
      this.#remember(labels.slice(index).join('.'), offset);
      offset += 1 + labelBytes(label).length;
    });
    this.bytes(bytes);
  }

  /**
   * Writes a name. Pass `compress: false` where pointers are forbidden; later names may still point to it. Throws
   * `failed` for a label that is too long.
   */
  name(name: string, compress = true): void {
    const whole = compress ? this.#suffixes.get(name) : undefined;
    if (whole !== undefined) {
      this.uint16(POINTER | whole);
      return;
    }
    const isPlain = PLAIN_NAME.test(name);
    const labels = isPlain ? name.split('.') : splitName(name);
    let at = 0;
    for (const [index, label] of labels.entries()) {
      const suffix = isPlain ? name.slice(at) : labels.slice(index).join('.');
      at += label.length + 1;
      const known = this.#suffixes.get(suffix);
      if (known !== undefined && compress) {
        this.uint16(POINTER | known);
        return;
      }
      if (known === undefined) this.#remember(suffix, this.#length);
      const bytes = isPlain ? label : labelBytes(label);
      if (bytes.length > MAX_LABEL)
        throw new HeddleError('failed', `label \`${label}\` is too long; at most ${MAX_LABEL} bytes`);
      this.uint8(bytes.length);
      if (typeof bytes === 'string') this.#ascii(bytes);
      else this.bytes(bytes);
    }
    this.uint8(0);
  }

  record(record: ResourceRecord): void {
    this.name(record.name);
    this.uint16(typeNumber(record.type));
    this.uint16(CLASS_IN);
    this.uint32(record.ttl);
    const lengthAt = this.#length;
    this.uint16(0);
    this.#data(record);
    if (!this.#overflowed) this.#buffer.writeUInt16BE(this.#length - lengthAt - 2, lengthAt);
  }

  #data(record: ResourceRecord): void {
    switch (record.type) {
      case 'A':
      case 'AAAA':
        this.#address(record.data);
        break;
      case 'CNAME':
      case 'NS':
      case 'PTR':
        this.name(record.data);
        break;
      case 'SRV':
        this.uint16(record.data.priority);
        this.uint16(record.data.weight);
        this.uint16(record.data.port);
        // RFC 2782: "name compression is not to be used for this field".
        this.name(record.data.target, false);
        break;
      case 'SOA':
        this.name(record.data.mname);
        this.name(record.data.rname);
        for (const field of ['serial', 'refresh', 'retry', 'expire', 'minimum'] as const) {
          this.uint32(record.data[field]);
        }
        break;
      case 'TXT':
        for (const text of record.data) {
          // A character-string has one length byte (RFC 1035 §3.3); longer text is truncated.
          const bytes = Buffer.from(text, 'utf8').subarray(0, 255);
          this.uint8(bytes.length);
          this.bytes(bytes);
        }
    }
  }

  #ascii(text: string): void {
    if (this.#fits(text.length)) this.#length += this.#buffer.write(text, this.#length, 'latin1');
  }

  #address(ip: string): void {
    // Fast path for IPv4: most addresses are IPv4, and a message may hold thousands.
    if (!ip.includes(':')) for (const byte of ip.split('.')) this.uint8(Number(byte));
    else this.bytes(Uint8Array.from(ipaddr.parse(ip).toByteArray()));
  }

  #remember(suffix: string, offset: number): void {
    if (offset <= MAX_POINTER && !this.#suffixes.has(suffix)) this.#suffixes.set(suffix, offset);
  }

  #fits(count: number): boolean {
    if (this.#length + count > this.#limit) this.#overflowed = true;
    return !this.#overflowed;
  }
}
