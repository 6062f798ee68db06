import PQueue from 'p-queue';
import { messageOf } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Cidr, NetworkEngine } from './engine.ts';

export interface KeeperNeeds {
  readonly network: Pick<NetworkEngine, 'restoreBridge' | 'expose' | 'hide'>;
  /** The addresses that the bridge was given. */
  exposed(): readonly Cidr[];
  /** Those of them that are not masqueraded. */
  unmasqueraded(): readonly Cidr[];
  /** Those that were taken back, and may still be there; `gone` is told when they are not. */
  leaving(): readonly Cidr[];
  gone(cidrs: readonly Cidr[]): Promise<void>;
  readonly log: Logger;
}

/** How long the network can be silent after somebody flushed the rules or deleted the bridge; weave looked as often. */
const LOOK_MS = 10_000;

/** Sees to it that the bridge, its addresses and its rules stay as they were made, whoever flushes what. */
export class BridgeKeeper {
  readonly #needs: KeeperNeeds;
  #timer: NodeJS.Timeout | undefined;
  /** Looks, and what is done between them. */
  readonly #turns = new PQueue({ concurrency: 1 });

  constructor(needs: KeeperNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turns.onIdle();
  }

  /** Looks now, one look at a time. */
  look(): void {
    void this.#turns
      .add(() => this.#restore())
      .catch((error: unknown) => this.#needs.log.warn({ problem: messageOf(error) }, 'bridge not restored'));
  }

  /** Changes the bridge while no look is under way, which would undo it: it has read what to restore. */
  between<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.add(work);
  }

  async #restore(): Promise<void> {
    const { network, exposed, unmasqueraded, leaving, gone } = this.#needs;
    const hidden = leaving();
    if (hidden.length > 0) {
      await network.hide(hidden, { unmasqueraded: unmasqueraded() });
      await gone(hidden);
    }
    const cidrs = exposed();
    if (cidrs.length > 0) await network.expose(cidrs, { unmasqueraded: unmasqueraded() });
    else await network.restoreBridge();
  }
}
