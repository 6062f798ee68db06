import type { Listed } from '../docker/list.ts';

export interface Extent {
  /** Inspect all of them. */
  readonly whole: boolean;
  /** What every look depends on besides the container, as a text: another one makes the pass a whole one. */
  readonly hostFingerprint?: string | undefined;
}

/** Passes in which each container has had its turn, at least: */
const SHORTEST_ROUND = 10;
/** So many of them have it in one pass, as far as ids are evenly spread: inspecting 100 takes an engine 0.1 s. */
const TURN = 100;

/**
 * Which containers a pass inspects: all of them, or those that the engine lists otherwise than in the pass before,
 * and by turns a tenth of the others, or a hundred. An engine with thousands of containers that rest has little to tell.
 */
export class Rounds {
  #listed: ReadonlyMap<string, string> = new Map();
  #hostFingerprint: string | undefined;
  #turn = 0;

  /** Ids of the containers that are due. Every call counts as a pass that the next is compared with. */
  due(listed: readonly Listed[], { whole, hostFingerprint }: Extent): readonly string[] {
    const before = this.#listed;
    const all = whole || hostFingerprint !== this.#hostFingerprint;
    this.#listed = new Map(listed.map(({ id, state }) => [id, state]));
    this.#hostFingerprint = hostFingerprint;
    const round = Math.max(SHORTEST_ROUND, Math.ceil(listed.length / TURN));
    this.#turn = (this.#turn + 1) % round;
    const due = listed.filter(
      ({ id, state }) => all || before.get(id) !== state || turnOf(id, round) === this.#turn,
    );
    return due.map(({ id }) => id);
  }
}

/** Ids are random digits, so that every turn has its share. */
const turnOf = (id: string, round: number): number => Number.parseInt(id.slice(0, 8), 16) % round;
