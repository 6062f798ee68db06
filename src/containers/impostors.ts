import { shortId } from '../docker/snapshot.ts';
import { messageOf } from '../errors.ts';
import type { Claims } from '../ipam/claims.ts';
import type { NetworkEngine } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';

export interface ImpostorsNeeds {
  readonly network: Pick<NetworkEngine, 'bridgeNeighbours'>;
  readonly claims: Pick<Claims, 'withAddress'>;
  readonly roster: Pick<Roster, 'inNamespace' | 'get'>;
  readonly log: Logger;
}

const CHECK_MS = 10_000;
/** Findings that count as logged; a container can claim one address after the other. */
const MOST_LOGGED = 256;
/** Findings of one container in `ps` and `doctor`. */
const MOST_SHOWN = 8;

/**
 * Detects containers that answer ARP or neighbour discovery for an address assigned to another container. Any container
 * with NET_RAW can do so, and then receives that container's traffic. Each finding is logged once and shown in `ps` while
 * it lasts. Nothing else is done: an administrator must decide which container is right.
 */
export class Impostors {
  readonly #needs: ImpostorsNeeds;
  readonly #logged = new Set<string>();
  /** What the last check found, by container. */
  #found: ReadonlyMap<string, readonly string[]> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: ImpostorsNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.#timer = setInterval(() => void this.check(), CHECK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }

  /** The addresses of others that a container answered for at the last check; a sentence each. */
  problems(container: string): readonly string[] {
    return this.#found.get(container) ?? [];
  }

  async check(): Promise<void> {
    const { network, claims, roster, log } = this.#needs;
    try {
      const found = new Map<string, string[]>();
      for (const { ip, namespace } of await network.bridgeNeighbours()) {
        const owners = claims.withAddress(ip);
        const there = roster.inNamespace(namespace);
        if (owners.length === 0 || there.length === 0 || owners.some((owner) => there.includes(owner)))
          continue;
        const owner = roster.get(owners[0] ?? '')?.snapshot.name ?? owners[0];
        const sentence = `it answers for ${ip}, which is assigned to '${owner}', and may receive its traffic`;
        // Of containers that share a network namespace, it cannot be determined which one answers.
        for (const container of there) {
          const sentences = found.get(container) ?? [];
          if (sentences.length < MOST_SHOWN) found.set(container, [...sentences, sentence]);
        }
        const key = `${ip} ${namespace}`;
        if (this.#logged.has(key)) continue;
        if (this.#logged.size >= MOST_LOGGED) this.#logged.clear();
        this.#logged.add(key);
        const [container = ''] = there;
        log.warn({ container: shortId(container), name: roster.get(container)?.snapshot.name }, sentence);
      }
      this.#found = found;
    } catch (error) {
      log.debug({ problem: messageOf(error) }, 'neighbours not checked');
    }
  }
}
