/** A connection, as far as it matters for who gives way to whom. */
export interface Occupant {
  /** Whether a question of it is being answered. */
  readonly isBusy: boolean;
  /** Closes it at once, to make room. */
  giveWay(): void;
}

export interface ShareLimits {
  /** Open connections in all, and from one client. */
  readonly connections: number;
  readonly connectionsPerClient: number;
}

/** The connections of one client, those that were used least recently first. */
export class Share<Connection extends Occupant> {
  readonly client: string;
  readonly connections = new Set<Connection>();
  /** Those whose questions wait until the client has fewer answers under way. */
  readonly parked = new Set<Connection>();
  /** Questions that are being answered, and bytes of answers that the client has not taken yet. */
  answering = 0;
  unsentBytes = 0;

  constructor(client: string) {
    this.client = client;
  }

  /** The one that gives way first: idle before busy, then the one that was used least recently. */
  get first(): Connection | undefined {
    const [oldest] = this.connections;
    for (const connection of this.connections) if (!connection.isBusy) return connection;
    return oldest;
  }
}

/**
 * Who has the connections of a listener. A new one is taken in: where its client has its share, or the listener
 * is full, the oldest idle connection of the client that has most gives way (RFC 7766 §6.2.3).
 */
export class Shares<Connection extends Occupant> {
  readonly #limits: ShareLimits;
  readonly #shares = new Map<string, Share<Connection>>();
  #size = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /** Whether a client has as many connections as it may have. */
  hasAll(client: string): boolean {
    return (this.#shares.get(client)?.connections.size ?? 0) >= this.#limits.connectionsPerClient;
  }

  /** The share of a client, with room for one more connection. */
  roomFor(client: string): Share<Connection> {
    if (this.hasAll(client)) this.#shares.get(client)?.first?.giveWay();
    else if (this.#size >= this.#limits.connections) this.#largest()?.first?.giveWay();
    const share = this.#shares.get(client) ?? new Share<Connection>(client);
    this.#shares.set(client, share);
    return share;
  }

  add(share: Share<Connection>, connection: Connection): void {
    share.connections.add(connection);
    this.#size += 1;
  }

  /** Takes a connection out; one that is not in any more is a success. */
  remove(share: Share<Connection>, connection: Connection): void {
    share.parked.delete(connection);
    if (share.connections.delete(connection)) this.#size -= 1;
    // A client that comes and goes keeps its share as long as it has questions under way.
    if (share.connections.size === 0 && share.answering === 0) this.#shares.delete(share.client);
  }

  /** Takes note that a connection was used: it gives way after the others of its client. */
  use(share: Share<Connection>, connection: Connection): void {
    if (share.connections.delete(connection)) share.connections.add(connection);
  }

  /** Every connection, of all clients. */
  *[Symbol.iterator](): Iterator<Connection> {
    for (const { connections } of this.#shares.values()) yield* connections;
  }

  #largest(): Share<Connection> | undefined {
    let largest: Share<Connection> | undefined;
    for (const share of this.#shares.values()) {
      if (share.connections.size > (largest?.connections.size ?? 0)) largest = share;
    }
    return largest;
  }
}
