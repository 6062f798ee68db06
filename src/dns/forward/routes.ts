import { HeddleError } from '../../errors.ts';
import { type ListenAddress, parseServer } from '../listen.ts';
import { isName, isWithin } from '../wire/name.ts';

/** A domain whose names are asked from servers of its own. */
export interface Route {
  /** In lower case, without the final dot. */
  readonly domain: string;
  readonly server: ListenAddress;
}

/** Reads `corp.example=10.0.0.2`, with a port if need be. Throws `bad-input`. */
export function parseRoute(text: string): Route {
  const [name = '', server, ...rest] = text.split('=');
  const domain = name.toLowerCase().replace(/^\.|\.$/g, '');
  if (server === undefined || rest.length > 0 || !isName(domain)) {
    throw new HeddleError(
      'bad-input',
      `\`${text}\` is no domain with its server; expected one as in corp.example=10.0.0.2`,
    );
  }
  return { domain, server: parseServer(server) };
}

/** Reads `corp.example`, or `.corp.example.`, in any letters. Throws `bad-input`. */
export function parseDomain(text: string): string {
  const name = text.toLowerCase().replace(/^\.|\.$/g, '');
  if (isName(name)) return name;
  throw new HeddleError('bad-input', `\`${text}\` is no domain; expected one as in corp.example`);
}

/** Throws `bad-input` for a route that would never be taken: the names of these domains are answered here. */
export function refuseOwnRoutes(routes: readonly Route[], ownDomains: readonly string[]): void {
  for (const { domain } of routes) {
    const own = ownDomains.find((one) => isWithin(domain, one.toLowerCase()));
    if (own === undefined) continue;
    throw new HeddleError(
      'bad-input',
      `\`${domain}\` is nobody else's: heddle itself answers all names of ${own} ` +
        '(--domain, --alt-domain, --weave-domain); expected a domain of others',
    );
  }
}

/** The servers for a name in lower case, in the order given: those of the longest domain that it is in. */
export function serversFor(routes: readonly Route[], name: string): readonly ListenAddress[] {
  const fitting = routes.filter(({ domain }) => isWithin(name, domain));
  const longest = Math.max(0, ...fitting.map(({ domain }) => domain.length));
  return fitting.filter(({ domain }) => domain.length === longest).map(({ server }) => server);
}
