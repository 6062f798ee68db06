import type { Listed } from '../docker/list.ts';

export interface Extent {
  /** Inspect all of them. */
  readonly whole: boolean;
  /** What inspections depend on besides the container, as a text: a change makes the scan a full one. */
  readonly hostFingerprint?: string | undefined;
}

/** The least number of scans in a round. A round inspects every container once. */
const SHORTEST_ROUND = 10;
/** Containers inspected by rotation in one scan, if ids are evenly spread: 100 inspections take an engine 0.1 s. */
const TURN = 100;

/**
 * Selects the containers that a scan inspects: all of them, or those whose listed state changed since the last scan. Of
 * the others it inspects a tenth, or a hundred, in rotation: an engine with thousands of idle containers reports little.
 */
export class Rounds {
  #listed: ReadonlyMap<string, string> = new Map();
  #hostFingerprint: string | undefined;
  #turn = 0;

  /** Ids of the containers to inspect. Every call counts as a scan, with which the next one is compared. */
  select(listed: readonly Listed[], { whole, hostFingerprint }: Extent): readonly string[] {
    const before = this.#listed;
    const all = whole || hostFingerprint !== this.#hostFingerprint;
    this.#listed = new Map(listed.map(({ id, state }) => [id, state]));
    this.#hostFingerprint = hostFingerprint;
    const round = Math.max(SHORTEST_ROUND, Math.ceil(listed.length / TURN));
    this.#turn = (this.#turn + 1) % round;
    const selected = listed.filter(
      ({ id, state }) => all || before.get(id) !== state || turnOf(id, round) === this.#turn,
    );
    return selected.map(({ id }) => id);
  }
}

/** Ids are random digits, so the turns are about equally large. */
const turnOf = (id: string, round: number): number => Number.parseInt(id.slice(0, 8), 16) % round;
