import { isIP } from 'node:net';

/** One service instance as a registry holds it: what Consul calls a service registration. */
export interface Service {
  /** Unique on a host: `heddle:<host-id>:<container-12>:<port>[:udp]`, unless SERVICE_ID says otherwise. */
  readonly id: string;
  /** One DNS label. */
  readonly name: string;
  readonly tags: readonly string[];
  /** IPv4, IPv6 or a host name. */
  readonly address: string;
  /** Of one family each, for those who ask for that one: what else there is beside `address`. */
  readonly addresses?: { readonly ipv4?: string; readonly ipv6?: string };
  /** 0 when the container declares no port. */
  readonly port: number;
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly Check[];
  readonly weights: Weights;
  /** True where others may change the tags in the catalog and keep them. */
  readonly enableTagOverride?: boolean;
  /** True where `address` is not the container's own, but one that its metadata names (SERVICE_ADDRESS). */
  readonly isForeignAddress?: true;
}

/** What a service is answered at: at most one address of each family, that of `address` first; or a host name. */
export function addressesOf({
  address,
  addresses,
}: Pick<Service, 'address' | 'addresses'>): readonly string[] {
  // In its own family, too, what `addresses` says counts before `address`.
  const own = { [`ipv${isIP(address)}`]: address, ...addresses };
  return Object.values(own).filter(Boolean);
}

/** DNS weights while the checks pass and while they warn, each 1–65535. */
export interface Weights {
  readonly passing: number;
  readonly warning: number;
}

export const DEFAULT_WEIGHTS: Weights = { passing: 1, warning: 1 };

export type CheckStatus = 'passing' | 'warning' | 'critical';

/** A health check; durations are written as Consul writes them (`10s`, `1m30s`). */
export type Check = CheckKind & {
  /** Unique on a host. */
  readonly id: string;
  readonly name: string;
  readonly interval?: string;
  readonly timeout?: string;
  /** The last status that heddle knows; until there is one, what the check is to begin with. */
  readonly status?: CheckStatus;
  readonly deregisterAfter?: string;
  /** Set where heddle runs it although the registry has an agent that runs checks. */
  readonly runBy?: 'heddle';
};

export type CheckKind =
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, readonly string[]>>;
      readonly tlsSkipVerify?: boolean;
    }
  | { readonly kind: 'tcp'; readonly target: string }
  | { readonly kind: 'udp'; readonly target: string }
  | {
      readonly kind: 'grpc';
      readonly target: string;
      readonly tls?: boolean;
      readonly tlsSkipVerify?: boolean;
    }
  | { readonly kind: 'h2ping'; readonly target: string; readonly tlsSkipVerify?: boolean }
  | { readonly kind: 'ttl'; readonly ttl: string }
  | { readonly kind: 'healthcheck'; readonly ttl: string }
  | { readonly kind: 'script'; readonly args: readonly string[] }
  | {
      readonly kind: 'docker';
      readonly container: string;
      readonly shell: string;
      readonly args: readonly string[];
    };

/** True for checks that nobody runs: heddle tells what is true of the container. */
export function isTold({ kind }: Pick<Check, 'kind'>): boolean {
  return kind === 'ttl' || kind === 'healthcheck';
}

/** True for checks whose status an agent hears from heddle. */
export function isReported(check: Check): boolean {
  return isTold(check) || check.runBy === 'heddle';
}

/** Meta keys by which heddle knows its own entries again. Only what carries our owner and our host is ever removed. */
export const OWNER_META = {
  owner: 'heddle-owner',
  host: 'heddle-host',
  container: 'heddle-container',
  hash: 'heddle-hash',
} as const;
