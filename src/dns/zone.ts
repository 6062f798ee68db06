import type { Answer as ResourceRecord } from 'dns-packet';

export type { ResourceRecord };

/** One question (RFC 1035 §4.1.2), the name lower-cased without the final dot, `asked` as it came. */
export interface Question {
  readonly name: string;
  readonly asked: string;
  /** `A`, `AAAA`, `SRV`, `ANY`, …, or `UNKNOWN_<n>` for types without a mnemonic. */
  readonly type: string;
  readonly class: string;
  /** Address of who asks: recursion is only for the host's own networks. */
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
  /** Recursion desired. */
  readonly recursionDesired: boolean;
}

export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED';

/** What a zone answers: sections and header bits, independent of size and transport. */
export interface Reply {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** One link of the chain: answers, or passes with `undefined`. */
export interface Zone {
  /** `service`, `weave`, `reverse`, `forward`: for metrics and logs. */
  readonly name: string;
  resolve(question: Question): Reply | undefined | Promise<Reply | undefined>;
}
