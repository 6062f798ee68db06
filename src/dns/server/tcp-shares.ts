/** The part of a connection that decides which connection is closed to make room. */
export interface Evictable {
  /** Whether one of its questions is being answered. */
  readonly isBusy: boolean;
  /** Closes the connection at once, to make room. */
  evict(): void;
}

export interface ShareLimits {
  /** Open connections in total, and from one client. */
  readonly connections: number;
  readonly connectionsPerClient: number;
}

/** The connections of one client, the least recently used first. */
export class Share<Connection extends Evictable> {
  readonly client: string;
  readonly connections = new Set<Connection>();
  /** Connections whose questions wait until fewer answers of the client are in progress. */
  readonly parked = new Set<Connection>();
  /** Questions being answered, and bytes of answers that the client has not received yet. */
  answering = 0;
  unsentBytes = 0;

  constructor(client: string) {
    this.client = client;
  }

  /** The connection to close first: idle before busy, then the least recently used. */
  get firstToEvict(): Connection | undefined {
    const [oldest] = this.connections;
    for (const connection of this.connections) if (!connection.isBusy) return connection;
    return oldest;
  }
}

/**
 * Shares the connections of a listener among clients. A new connection is always accepted. If its client has reached
 * its share, the client's own oldest idle connection is closed for it. If the listener is full, the oldest idle
 * connection of the client with the most connections is closed (RFC 7766 §6.2.3).
 */
export class Shares<Connection extends Evictable> {
  readonly #limits: ShareLimits;
  readonly #shares = new Map<string, Share<Connection>>();
  #size = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  /** Whether a client has as many connections as allowed. */
  isFull(client: string): boolean {
    return (this.#shares.get(client)?.connections.size ?? 0) >= this.#limits.connectionsPerClient;
  }

  /** The share of a client, after making room for one more connection. */
  shareWithRoom(client: string): Share<Connection> {
    if (this.isFull(client)) this.#shares.get(client)?.firstToEvict?.evict();
    else if (this.#size >= this.#limits.connections) this.#largest()?.firstToEvict?.evict();
    const share = this.#shares.get(client) ?? new Share<Connection>(client);
    this.#shares.set(client, share);
    return share;
  }

  add(share: Share<Connection>, connection: Connection): void {
    share.connections.add(connection);
    this.#size += 1;
  }

  /** Removes a connection; has no effect if it was removed before. */
  remove(share: Share<Connection>, connection: Connection): void {
    share.parked.delete(connection);
    if (share.connections.delete(connection)) this.#size -= 1;
    // A client that reconnects keeps its share as long as questions are in progress.
    if (share.connections.size === 0 && share.answering === 0) this.#shares.delete(share.client);
  }

  /** Records that a connection was used: the other connections of its client are closed first. */
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
