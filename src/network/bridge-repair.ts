import PQueue from 'p-queue';
import { messageOf } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Cidr, NetworkEngine } from './engine.ts';

export interface BridgeRepairNeeds {
  readonly network: Pick<NetworkEngine, 'restoreBridge' | 'expose' | 'hide'>;
  /** The addresses that the bridge was given. */
  exposed(): readonly Cidr[];
  /** Those of them that are not masqueraded. */
  unmasqueraded(): readonly Cidr[];
  /** Those that were taken back, and may still be there; `gone` is told when they are not. */
  releasing(): readonly Cidr[];
  released(cidrs: readonly Cidr[]): Promise<void>;
  readonly log: Logger;
}

/** How long the network can be silent after somebody flushed the rules or deleted the bridge; weave looked as often. */
const REPAIR_EVERY_MS = 10_000;

/** Sees to it that the bridge, its addresses and its rules stay as they were made, whoever flushes what. */
export class BridgeRepair {
  readonly #needs: BridgeRepairNeeds;
  #timer: NodeJS.Timeout | undefined;
  /** Looks, and what is done between them. */
  readonly #queue = new PQueue({ concurrency: 1 });

  constructor(needs: BridgeRepairNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.repairSoon();
    this.#timer = setInterval(() => this.repairSoon(), REPAIR_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#queue.onIdle();
  }

  /** Looks now, one look at a time. */
  repairSoon(): void {
    void this.#queue
      .add(() => this.#restore())
      .catch((error: unknown) => this.#needs.log.warn({ problem: messageOf(error) }, 'bridge not restored'));
  }

  /** Changes the bridge while no look is under way, which would undo it: it has read what to restore. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.add(work);
  }

  async #restore(): Promise<void> {
    const { network, exposed, unmasqueraded, releasing, released } = this.#needs;
    const hidden = releasing();
    if (hidden.length > 0) {
      await network.hide(hidden, { unmasqueraded: unmasqueraded() });
      await released(hidden);
    }
    const cidrs = exposed();
    if (cidrs.length > 0) await network.expose(cidrs, { unmasqueraded: unmasqueraded() });
    else await network.restoreBridge();
  }
}
