import { shortId } from '../docker/snapshot.ts';
import { messageOf } from '../errors.ts';
import type { Claims } from '../ipam/claims.ts';
import type { NetworkEngine } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';

export interface ImpostorsNeeds {
  readonly network: Pick<NetworkEngine, 'answering'>;
  readonly claims: Pick<Claims, 'withAddress'>;
  readonly roster: Pick<Roster, 'inNamespace' | 'get'>;
  readonly log: Logger;
}

const LOOK_MS = 10_000;
/** What has been said; a container can claim one address after the other. */
const MOST_SAID = 256;
/** Of one container, in `ps` and `doctor`. */
const MOST_SHOWN = 8;

/**
 * Notices containers that answer for addresses that others were given (ARP, neighbour discovery): any container with
 * NET_RAW can, and takes the other one's traffic. It is said in the log once and in `ps` while it lasts, and nothing is
 * done: who is right is for people.
 */
export class Impostors {
  readonly #needs: ImpostorsNeeds;
  readonly #said = new Set<string>();
  /** What the last look found, by container. */
  #found: ReadonlyMap<string, readonly string[]> = new Map();
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

  /** Whose addresses a container answered for when that was looked at last; a sentence each. */
  problems(container: string): readonly string[] {
    return this.#found.get(container) ?? [];
  }

  async look(): Promise<void> {
    const { network, claims, roster, log } = this.#needs;
    try {
      const found = new Map<string, string[]>();
      for (const { ip, namespace } of await network.answering()) {
        const owners = claims.withAddress(ip);
        const there = roster.inNamespace(namespace);
        if (owners.length === 0 || there.length === 0 || owners.some((owner) => there.includes(owner)))
          continue;
        const owner = roster.get(owners[0] ?? '')?.snapshot.name ?? owners[0];
        const sentence = `it answers for ${ip}, which was given to '${owner}', and may take its traffic`;
        // Which of those that share a network does it, nothing tells.
        for (const container of there) {
          const sentences = found.get(container) ?? [];
          if (sentences.length < MOST_SHOWN) found.set(container, [...sentences, sentence]);
        }
        const key = `${ip} ${namespace}`;
        if (this.#said.has(key)) continue;
        if (this.#said.size >= MOST_SAID) this.#said.clear();
        this.#said.add(key);
        const [container = ''] = there;
        log.warn({ container: shortId(container), name: roster.get(container)?.snapshot.name }, sentence);
      }
      this.#found = found;
    } catch (error) {
      log.debug({ problem: messageOf(error) }, 'neighbours not looked at');
    }
  }
}
