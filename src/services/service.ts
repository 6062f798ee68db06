import { isIP } from 'node:net';

/** One service instance in a registry: Consul's service registration. */
export interface Service {
  /** Unique on a host: `heddle:<host-id>:<container-12>:<port>[:udp]`, or SERVICE_ID. */
  readonly id: string;
  /** One DNS label. */
  readonly name: string;
  readonly tags: readonly string[];
  /** IPv4, IPv6 or a host name. */
  readonly address: string;
  /** Addresses by family, for A and AAAA queries: set if there is one besides `address`. */
  readonly addresses?: { readonly ipv4?: string; readonly ipv6?: string };
  /** 0 when the container declares no port. */
  readonly port: number;
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly Check[];
  readonly weights: Weights;
  /** True if other programs may change the tags in the catalog and heddle keeps their changes. */
  readonly enableTagOverride?: boolean;
  /** True if `address` comes from the container's metadata (SERVICE_ADDRESS) and is not its own. */
  readonly isForeignAddress?: true;
}

/** What DNS answers for a service: at most one address of each family, the family of `address` first; or a host name. */
export function addressesOf({
  address,
  addresses,
}: Pick<Service, 'address' | 'addresses'>): readonly string[] {
  // An entry of `addresses` overrides `address`, also in the family of `address`.
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

/** A health check; durations are in Consul's notation (`10s`, `1m30s`). */
export type Check = CheckKind & {
  /** Unique on a host. */
  readonly id: string;
  readonly name: string;
  readonly interval?: string;
  readonly timeout?: string;
  /** The last known status; before the first result, the initial status. */
  readonly status?: CheckStatus;
  readonly deregisterAfter?: string;
  /** Set if heddle runs this check although the registry has an agent that runs checks. */
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

/** True for checks that no program runs: heddle derives their status from the state of the container. */
export function isDerived({ kind }: Pick<Check, 'kind'>): boolean {
  return kind === 'ttl' || kind === 'healthcheck';
}

/** True for checks whose status heddle reports to the agent. */
export function isReported(check: Check): boolean {
  return isDerived(check) || check.runBy === 'heddle';
}

/** Meta keys that mark heddle's own entries. heddle removes only entries with its owner and its host-id. */
export const OWNER_META = {
  owner: 'heddle-owner',
  host: 'heddle-host',
  container: 'heddle-container',
  hash: 'heddle-hash',
} as const;
