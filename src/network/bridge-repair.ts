import PQueue from 'p-queue';
import { messageOf } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import type { Cidr, NetworkEngine } from './engine.ts';

export interface BridgeRepairNeeds {
  readonly network: Pick<NetworkEngine, 'restoreBridge' | 'expose' | 'hide'>;
  /** The addresses assigned to the bridge. */
  exposed(): readonly Cidr[];
  /** The exposed addresses without masquerading. */
  unmasqueraded(): readonly Cidr[];
  /** Addresses that were hidden but may still be on the bridge. `released` is called once they are removed. */
  releasing(): readonly Cidr[];
  released(cidrs: readonly Cidr[]): Promise<void>;
  readonly log: Logger;
}

/** The longest outage after another program flushes the rules or deletes the bridge; weave used the same interval. */
const REPAIR_EVERY_MS = 10_000;

/** Restores the bridge, its addresses and its rules when another program removes them. */
export class BridgeRepair {
  readonly #needs: BridgeRepairNeeds;
  #timer: NodeJS.Timeout | undefined;
  /** Runs repairs and other changes of the bridge one at a time. */
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

  /** Queues a repair. */
  repairSoon(): void {
    void this.#queue
      .add(() => this.#restore())
      .catch((error: unknown) => this.#needs.log.warn({ problem: messageOf(error) }, 'bridge not restored'));
  }

  /** Changes the bridge while no repair runs: a running repair has read the old addresses and would restore them. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.add(work);
  }

  async #restore(): Promise<void> {
    const { network, exposed, unmasqueraded, releasing, released } = this.#needs;
    const toHide = releasing();
    if (toHide.length > 0) {
      await network.hide(toHide, { unmasqueraded: unmasqueraded() });
      await released(toHide);
    }
    const cidrs = exposed();
    if (cidrs.length > 0) await network.expose(cidrs, { unmasqueraded: unmasqueraded() });
    else await network.restoreBridge();
  }
}
