/** One question (RFC 1035 §4.1.2), who asked it and what answer they can take. */
export interface Question {
  /** Labels in lower case, the root left out: `['web', 'service', 'consul']`. */
  readonly labels: readonly string[];
  /** The same labels joined by dots; unusual bytes are escaped as name.ts says, so no label can pose as two. */
  readonly name: string;
  /** The name in the letter case it came in: owner of the answers. */
  readonly asked: string;
  /** `A`, `AAAA`, `SRV`, `ANY`, …, or `TYPE<n>` for types without a mnemonic here. */
  readonly type: string;
  /** `IN`, `CH`, `ANY`, …, or `CLASS<n>`. */
  readonly class: string;
  /** Name, type and class as they came, to be echoed byte for byte. */
  readonly bytes: Uint8Array;
  /** Address of who asks: recursion is only for the host's own networks. */
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** How often aliases of others have led this question back to our own names; absent for never. */
  readonly returns?: number;
  /** The AD bit: the asker understands it in the answer (RFC 6840 §5.7). Absent where our own parts ask. */
  readonly authenticData?: boolean;
  /** What the asker's OPT record says (RFC 6891); absent without one. */
  readonly edns?: Edns;
}

export interface Edns {
  readonly version: number;
  /** Largest UDP answer the asker takes, in bytes. */
  readonly udpSize: number;
  readonly dnssecOk: boolean;
  /** Client subnet option (RFC 7871 §6): family, source and scope prefix lengths, address. */
  readonly clientSubnet?: Uint8Array;
  /** What resolvers like this one put into their queries to other servers, to know them again: one behind the other. */
  readonly loopMarks?: Uint8Array;
}

/** The records that our zones hold; those of other names are relayed as bytes and never taken apart. */
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

/** What a zone answers: sections and header bits, independent of size and transport. */
export interface Reply {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /**
   * Whether the same question would be answered by the same records now, in whatever order. Absent where nobody can
   * say so at once.
   */
  readonly stillTrue?: () => boolean;
}

/** Another server's whole message, passed on with its records untouched; it has been checked to fit the question. */
export interface RelayedReply {
  readonly message: Uint8Array;
  /** Whether the same question would be answered by the same bytes now, the times to live among them; as in Reply. */
  readonly stillTrue?: () => boolean;
}

/**
 * The most answers that an asker can be sent, which bounds what a question costs: more than fit into any message of
 * that transport, so that TC is set all the same. An address has 16 bytes at least, an SRV record 21.
 */
export function mostAnswers({ transport, type }: Pick<Question, 'transport' | 'type'>): number {
  if (transport === 'tcp') return 4_096;
  return type === 'SRV' ? 256 : 512;
}

/** One link of the chain: answers, or passes with `undefined`. */
export interface Zone {
  /** `service`, `weave`, `reverse`, `forward`: for metrics and logs. */
  readonly name: string;
  resolve(question: Question): Resolved | Promise<Resolved>;
}
export type Resolved = Reply | RelayedReply | undefined;

/** A reply that says nothing but its code. */
export function emptyReply(rcode: Rcode, authoritative = false): Reply {
  return { rcode, authoritative, answers: [], authorities: [], additionals: [] };
}
