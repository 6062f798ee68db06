import { isIP } from 'node:net';

/** The servers and options in resolv.conf(5). Search domains and `ndots` are omitted: only stub resolvers need them. */
export interface ResolvConf {
  /** Addresses, in the order of queries. */
  readonly servers: readonly string[];
  /** Milliseconds for each server, each time; undefined if not set. */
  readonly timeoutMs?: number;
  /** How often all servers are queried. */
  readonly attempts?: number;
  /** Whether each query begins with the next server. */
  readonly rotate: boolean;
  /** Whether only TCP is used. */
  readonly useTcp?: true;
}

/** More than any system's resolver uses (glibc: 3). */
const MAX_SERVERS = 8;
/** glibc's limits (resolv.conf(5)). */
const [MAX_TIMEOUT_S, MAX_ATTEMPTS] = [30, 5];

/** Parses the text of a resolv.conf. Lines that cannot be parsed are ignored, as in every resolver. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const servers = lines.flatMap(([keyword, ip]) => (keyword === 'nameserver' && ip && isIP(ip) ? [ip] : []));
  const options = lines.flatMap(([keyword, ...values]) => (keyword === 'options' ? values : []));
  const timeout = numberIn(options, 'timeout', MAX_TIMEOUT_S);
  const attempts = numberIn(options, 'attempts', MAX_ATTEMPTS);
  return {
    servers: [...new Set(servers)].slice(0, MAX_SERVERS),
    ...(timeout !== undefined && { timeoutMs: timeout * 1000 }),
    ...(attempts !== undefined && { attempts }),
    rotate: options.includes('rotate'),
    ...(options.includes('use-vc') && { useTcp: true }),
  };
}

/** The value of the last `name:5`, at least 1; the last one counts, as in glibc. */
function numberIn(options: readonly string[], name: string, most: number): number | undefined {
  const values = options.flatMap((option) => new RegExp(`^${name}:(\\d+)$`).exec(option)?.[1] ?? []);
  const last = values.at(-1);
  return last === undefined ? undefined : Math.min(most, Math.max(1, Number(last)));
}
