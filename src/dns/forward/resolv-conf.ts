import { isIP } from 'node:net';

/** What resolv.conf(5) says of whom to ask, and how. Search domains and `ndots` are for who makes whole names of words. */
export interface ResolvConf {
  /** Addresses, in the order to ask them. */
  readonly servers: readonly string[];
  /** Milliseconds for each server, each time; undefined where nothing is said. */
  readonly timeoutMs?: number;
  /** How often all servers are asked. */
  readonly attempts?: number;
  /** Whether each question begins with the next server. */
  readonly rotate: boolean;
  /** Whether they are asked over TCP alone. */
  readonly useTcp?: true;
}

/** More than any system's resolver asks (glibc: 3). */
const MAX_SERVERS = 8;
/** The bounds that glibc knows (resolv.conf(5)). */
const [MAX_TIMEOUT_S, MAX_ATTEMPTS] = [30, 5];

/** Reads the text of a resolv.conf; what cannot be understood is passed over, as every resolver does. */
export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const servers = lines.flatMap(([keyword, ip]) => (keyword === 'nameserver' && ip && isIP(ip) ? [ip] : []));
  const options = lines.flatMap(([keyword, ...words]) => (keyword === 'options' ? words : []));
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

/** The last of `name:5`, at least 1; what stands last counts, as in glibc. */
function numberIn(options: readonly string[], name: string, most: number): number | undefined {
  const values = options.flatMap((option) => new RegExp(`^${name}:(\\d+)$`).exec(option)?.[1] ?? []);
  const last = values.at(-1);
  return last === undefined ? undefined : Math.min(most, Math.max(1, Number(last)));
}
