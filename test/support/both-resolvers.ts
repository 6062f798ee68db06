import { expect } from 'vitest';
import type { ConsulAgent } from './consul.ts';
import { type DigReply, dataOf, dig } from './dig.ts';
import { eventually } from './eventually.ts';
import type { Daemon } from './heddle.ts';

/** What heddle's resolver answers and, where there is a Consul, what Consul's own DNS answers: both must hold. */
export function bothResolvers(daemon: Daemon, consul: ConsulAgent | undefined) {
  const everywhere = async (name: string, type: string, check: (reply: DigReply) => void): Promise<void> => {
    await eventually(async () => check(await daemon.dig(name, { type })));
    if (consul === undefined) return;
    await eventually(async () => check(await dig(name, { type, port: consul.dnsPort })));
  };
  /** The addresses of a service are exactly these. */
  const answers = (service: string, ...addresses: readonly string[]) =>
    everywhere(serviceName(service), 'A', (reply) => expect(dataOf(reply)).toEqual(addresses));
  return { everywhere, answers };
}

export const serviceName = (service: string): string => `${service}.service.dc1.consul`;
