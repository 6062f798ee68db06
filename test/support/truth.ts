import { expect } from 'vitest';
import type { ConsulAgent } from './consul.ts';
import { eventually } from './eventually.ts';
import type { Fleet } from './fleet.ts';
import type { Daemon } from './heddle.ts';
import { answersTo } from './questions.ts';

interface Places {
  readonly fleet: Pick<Fleet, 'names' | 'running'>;
  readonly daemon: Daemon;
  readonly consul?: ConsulAgent;
  /** Where heddle writes to a node of its own in the catalog, and to no agent. */
  readonly node?: string;
}

/**
 * Waits, five seconds at most, until exactly the running services are registered and answered: in Consul's agent, its catalog
 * and its DNS, and by heddle's resolver.
 */
export async function expectConsistent(
  { fleet, daemon, consul, node }: Places,
  within = 5000,
): Promise<void> {
  const running = await fleet.running();
  const check = async () => {
    const seen: Record<string, string[]> = { resolver: await answersTo(daemon.dnsPort, fleet.names) };
    if (consul !== undefined) {
      if (node === undefined) seen.agent = registered(await consul.services());
      seen.catalog = registered(await consul.catalog(node));
      seen.dns = await answersTo(consul.dnsPort, fleet.names);
    }
    for (const [place, found] of Object.entries(seen)) expect(found, place).toEqual(running);
  };
  await eventually(check, { within }).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}\n\nthe daemon said:\n${daemon.output.slice(-4000)}`, {
      cause: error,
    });
  });
}

const registered = (
  services: Readonly<Record<string, { Service: string; Address: string; Meta?: Record<string, string> }>>,
) =>
  Object.values(services)
    .filter(({ Meta }) => Meta?.['heddle-owner'])
    .map(({ Service, Address }) => `${Service} ${Address}`)
    .sort();

/** The number of log lines that match. */
export const countOfLines = (daemon: Daemon, what: RegExp): number =>
  daemon.log.filter(({ msg }) => what.test(msg)).length;
