import { HeddleError } from '../../errors.ts';
import { type ListenAddress, parseServer } from '../listen.ts';
import { isName, isWithin } from '../wire/name.ts';

/** A domain whose names are forwarded to a server of its own. */
export interface Route {
  /** In lower case, without the final dot. */
  readonly domain: string;
  readonly server: ListenAddress;
}

/** Parses `corp.example=10.0.0.2`, optionally with a port. @throws HeddleError `bad-input` */
export function parseRoute(text: string): Route {
  const [name = '', server, ...rest] = text.split('=');
  const domain = name.toLowerCase().replace(/^\.|\.$/g, '');
  if (server === undefined || rest.length > 0 || !isName(domain)) {
    throw new HeddleError(
      'bad-input',
      `\`${text}\` is not a domain with its server; expected a form like corp.example=10.0.0.2`,
    );
  }
  return { domain, server: parseServer(server) };
}

/** Parses `corp.example`, or `.corp.example.`, in any letter case. @throws HeddleError `bad-input` */
export function parseDomain(text: string): string {
  const name = text.toLowerCase().replace(/^\.|\.$/g, '');
  if (isName(name)) return name;
  throw new HeddleError('bad-input', `\`${text}\` is not a domain; expected a form like corp.example`);
}

/** @throws HeddleError `bad-input` for a route that would never be used: these domains are answered here */
export function refuseOwnRoutes(routes: readonly Route[], ownDomains: readonly string[]): void {
  for (const { domain } of routes) {
    const own = ownDomains.find((one) => isWithin(domain, one.toLowerCase()));
    if (own === undefined) continue;
    throw new HeddleError(
      'bad-input',
      `\`${domain}\` cannot be forwarded: heddle itself answers all names of ${own} ` +
        '(--domain, --alt-domain, --weave-domain); forward another domain',
    );
  }
}

/** The servers for a name in lower case, in the given order: those of the longest domain that contains the name. */
export function serversFor(routes: readonly Route[], name: string): readonly ListenAddress[] {
  const fitting = routes.filter(({ domain }) => isWithin(name, domain));
  const longest = Math.max(0, ...fitting.map(({ domain }) => domain.length));
  return fitting.filter(({ domain }) => domain.length === longest).map(({ server }) => server);
}
