import dnsPacket, { type OptAnswer } from 'dns-packet';
import type { Edns } from '../zone.ts';

/** The OPT record (RFC 6891 §6.1.2) of queries and replies. */

const OPT = 41;
/** Root, type, size, extended code and flags, length of the options. */
export const OPT_BYTES = 11;
const DNSSEC_OK = 0x8000;
/** The client subnet option (RFC 7871 §6): four bytes, and an address of at most sixteen. */
const CLIENT_SUBNET = { code: 8, minBytes: 4, maxBytes: 20 };
/** Code and length, which precede the data of an option. */
const OPTION_HEADER_BYTES = 4;
/** Our own option, from the range for local use (RFC 6891 §9): concatenated marks. */
const LOOP_MARKS = 65_313;
/** The length of a mark: long enough that no two resolvers draw the same one by chance. */
export const LOOP_MARK_BYTES = 8;

/**
 * The OPT record of a query, `none`, or undefined if the sections behind the question are malformed. A query has at
 * most one answer, one authority (IXFR) and two additionals (OPT and TSIG): the limits of Consul's DNS library, too.
 */
export function readEdns(packet: Buffer): Edns | 'none' | undefined {
  const answers = packet.readUInt16BE(6);
  const authorities = packet.readUInt16BE(8);
  const additionals = packet.readUInt16BE(10);
  if (answers > 1 || authorities > 1 || additionals > 2) return undefined;
  if (answers + authorities + additionals === 0) return 'none';
  const opts = decodeAdditionals(packet)?.filter((record): record is OptAnswer => record.type === 'OPT');
  if (!opts || opts.length > 1) return undefined;
  return opts[0] ? ednsOf(opts[0]) : 'none';
}

function decodeAdditionals(packet: Buffer) {
  try {
    const decoded = dnsPacket.decode(packet);
    // dns-packet slices data of unknown types without checking that enough bytes are there.
    return dnsPacket.decode.bytes <= packet.length ? (decoded.additionals ?? []) : undefined;
  } catch {
    return undefined;
  }
}

function ednsOf({ ednsVersion, udpPayloadSize, flag_do, options }: OptAnswer): Edns | undefined {
  const dataOf = (code: number) => options.find((option) => Number(option.code) === code)?.data;
  const clientSubnet = dataOf(CLIENT_SUBNET.code);
  const { minBytes, maxBytes } = CLIENT_SUBNET;
  if (clientSubnet && (clientSubnet.length < minBytes || clientSubnet.length > maxBytes)) return undefined;
  const loopMarks = dataOf(LOOP_MARKS) ?? [];
  return {
    version: ednsVersion,
    udpSize: udpPayloadSize,
    dnssecOk: flag_do,
    ...(clientSubnet && { clientSubnet: Uint8Array.from(clientSubnet) }),
    ...(isMarks(loopMarks) && { loopMarks: Uint8Array.from(loopMarks) }),
  };
}

function isMarks({ length }: ArrayLike<number>): boolean {
  return length > 0 && length % LOOP_MARK_BYTES === 0;
}

export interface Opt {
  /** The largest UDP message that the sender accepts, in bytes. */
  readonly udpSize: number;
  /** The upper eight bits of the response code. */
  readonly extendedRcode?: number;
  readonly dnssecOk?: boolean;
  readonly clientSubnet?: Uint8Array | undefined;
  readonly loopMarks?: Uint8Array;
}

/** An OPT record of version 0. */
export function optRecord(opt: Opt): Buffer {
  const { udpSize, extendedRcode = 0, dnssecOk = false, clientSubnet, loopMarks } = opt;
  const options = Buffer.concat([
    clientSubnet ? subnetOption(clientSubnet) : Buffer.alloc(0),
    loopMarks ? option(LOOP_MARKS, loopMarks) : Buffer.alloc(0),
  ]);
  const record = Buffer.alloc(OPT_BYTES);
  record.writeUInt16BE(OPT, 1);
  record.writeUInt16BE(udpSize, 3);
  record.writeUInt8(extendedRcode, 5);
  record.writeUInt16BE(dnssecOk ? DNSSEC_OK : 0, 7);
  record.writeUInt16BE(options.length, 9);
  return Buffer.concat([record, options]);
}

/** The subnet with scope 0: the answer is the same for every client (RFC 7871 §7.2.1). */
function subnetOption(clientSubnet: Uint8Array): Buffer {
  const subnet = option(CLIENT_SUBNET.code, clientSubnet);
  subnet.writeUInt8(0, OPTION_HEADER_BYTES + 3);
  return subnet;
}

function option(code: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(OPTION_HEADER_BYTES + data.length);
  bytes.writeUInt16BE(code, 0);
  bytes.writeUInt16BE(data.length, 2);
  bytes.set(data, OPTION_HEADER_BYTES);
  return bytes;
}
