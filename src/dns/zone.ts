/** One question (RFC 1035 §4.1.2), its client, and the answers that the client accepts. */
export interface Question {
  /** Labels in lower case, the root left out: `['web', 'service', 'consul']`. */
  readonly labels: readonly string[];
  /** The same labels joined by dots. Unusual bytes are escaped as in name.ts, so that no label can pose as two. */
  readonly name: string;
  /** The name in its original letter case: the owner of the answers. */
  readonly asked: string;
  /** `A`, `AAAA`, `SRV`, `ANY`, …, or `TYPE<n>` for types without a mnemonic here. */
  readonly type: string;
  /** `IN`, `CH`, `ANY`, …, or `CLASS<n>`. */
  readonly class: string;
  /** Name, type and class as received, to be echoed byte for byte. */
  readonly bytes: Uint8Array;
  /** The client's address: recursion is only for the host's own networks. */
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** How often aliases of other servers have led this question back to our own names; absent for never. */
  readonly aliasReturns?: number;
  /** The AD bit: the client understands it in the answer (RFC 6840 §5.7). Absent in heddle's own questions. */
  readonly authenticData?: boolean;
  /** The content of the client's OPT record (RFC 6891); absent without one. */
  readonly edns?: Edns;
}

export interface Edns {
  readonly version: number;
  /** Largest UDP answer that the client accepts, in bytes. */
  readonly udpSize: number;
  readonly dnssecOk: boolean;
  /** Client subnet option (RFC 7871 §6): family, source and scope prefix lengths, address. */
  readonly clientSubnet?: Uint8Array;
  /** Marks, concatenated, that heddle resolvers add to their upstream queries to recognize a forwarding loop. */
  readonly loopMarks?: Uint8Array;
}

/** The records that our zones hold. Records of other servers are relayed as bytes, without being parsed. */
export type ResourceRecord = { readonly name: string; readonly ttl: number } & (
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR'; readonly data: string }
  | { readonly type: 'SRV'; readonly data: Srv }
  | { readonly type: 'SOA'; readonly data: Soa }
  | { readonly type: 'TXT'; readonly data: readonly string[] }
);

export interface Srv {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export interface Soa {
  readonly mname: string;
  readonly rname: string;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
}

/** Response codes (RFC 1035 §4.1.1; BADVERS RFC 6891 §6.1.3). */
export const RCODES = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;
export type Rcode = keyof typeof RCODES;

const RCODE_NAMES = new Map(Object.entries(RCODES).map(([name, code]) => [code as number, name as Rcode]));

/** The mnemonic of a response code, if it is one of ours. */
export const rcodeName = (code: number): Rcode | undefined => RCODE_NAMES.get(code);

/** The answer of a zone: sections and header bits, independent of size and transport. */
export interface Reply {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /**
   * Whether the same question would get the same records now, in any order. Absent if that cannot be decided without
   * waiting.
   */
  readonly stillTrue?: () => boolean;
}

/** Another server's complete message, relayed with its records unchanged. It was checked to answer the question. */
export interface RelayedReply {
  readonly message: Uint8Array;
  /** Whether the same question would get the same bytes now, TTLs included; as in Reply. */
  readonly stillTrue?: () => boolean;
}

/**
 * The most answers that are collected for a question, which bounds its cost. It is more than fits into any message of
 * the transport, so that TC is still set. An address record has at least 16 bytes, an SRV record 21.
 */
export function maxAnswers({ transport, type }: Pick<Question, 'transport' | 'type'>): number {
  if (transport === 'tcp') return 4_096;
  return type === 'SRV' ? 256 : 512;
}

/** One link of the chain: answers a question, or passes it on with `undefined`. */
export interface Zone {
  /** `service`, `weave`, `reverse`, `forward`: for metrics and logs. */
  readonly name: string;
  resolve(question: Question): Resolved | Promise<Resolved>;
}
export type Resolved = Reply | RelayedReply | undefined;

/** A reply without records: only its response code. */
export function emptyReply(rcode: Rcode, authoritative = false): Reply {
  return { rcode, authoritative, answers: [], authorities: [], additionals: [] };
}
