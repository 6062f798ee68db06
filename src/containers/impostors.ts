import { shortId } from '../docker/snapshot.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { NetworkEngine } from '../network/engine.ts';
import type { Claims } from './claims.ts';
import type { Roster } from './roster.ts';

export interface ImpostorsNeeds {
  readonly network: Pick<NetworkEngine, 'answering'>;
  readonly claims: Pick<Claims, 'withAddress'>;
  readonly roster: Pick<Roster, 'inNamespace' | 'get'>;
  readonly log: Logger;
}

const LOOK_MS = 10_000;
/** What has been said; a container can claim one address after the other. */
const MOST_SAID = 256;

/**
 * Notices containers that answer for addresses that others were given (ARP, neighbour discovery): any container with
 * NET_RAW can, and takes the other one's traffic. It is said once, and nothing is done: who is right is for people.
 */
export class Impostors {
  readonly #needs: ImpostorsNeeds;
  readonly #said = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: ImpostorsNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    const { network, claims, roster, log } = this.#needs;
    try {
      for (const { ip, namespace } of await network.answering()) {
        const owners = claims.withAddress(ip);
        const there = roster.inNamespace(namespace);
        if (owners.length === 0 || there.length === 0 || owners.some((owner) => there.includes(owner)))
          continue;
        const key = `${ip} ${namespace}`;
        if (this.#said.has(key)) continue;
        if (this.#said.size >= MOST_SAID) this.#said.clear();
        this.#said.add(key);
        const [container = ''] = there;
        const name = roster.get(container)?.snapshot.name;
        const owner = roster.get(owners[0] ?? '')?.snapshot.name ?? owners[0];
        log.warn(
          { container: shortId(container), name },
          `it answers for ${ip}, which was given to '${owner}', and may take its traffic`,
        );
      }
    } catch (error) {
      log.debug({ problem: messageOf(error) }, 'neighbours not looked at');
    }
  }
}
