import type { Socket } from 'node:net';

export interface WaitingLimits {
  /** How many of its own connections a client may replace with new ones: in a burst, and then per second. */
  readonly burst: number;
  readonly perSecond: number;
  /** New connections that wait, per client and in total; any further one is closed at once. */
  readonly each: number;
  readonly total: number;
}

const LIMITS: WaitingLimits = { burst: 64, perSecond: 16, each: 256, total: 1024 };

interface Client {
  tokens: number;
  at: number;
  /** In the order of arrival. */
  readonly waiting: Map<Socket, () => void>;
}

/**
 * Delays new connections of a client that has reached its share and replaces its own connections too fast. A client
 * that reopens every closed connection would otherwise cause thousands of opened and closed connections a second.
 */
export class WaitingRoom {
  readonly #limits: WaitingLimits;
  readonly #clients = new Map<string, Client>();
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: WaitingLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Accepts a connection: at once, or when its client may replace another one. */
  enter(name: string, socket: Socket, accept: () => void): void {
    const client = this.#client(name);
    if (client.waiting.size === 0 && this.#mayReplace(client)) {
      accept();
      return;
    }
    if (client.waiting.size >= this.#limits.each || this.#size >= this.#limits.total) {
      socket.resetAndDestroy();
      return;
    }
    client.waiting.set(socket, accept);
    this.#size += 1;
    socket.on('error', () => {});
    socket.once('close', () => this.#leave(client, socket));
    this.#timer ??= setInterval(() => this.#acceptWaiting(), 1000 / this.#limits.perSecond).unref();
  }

  close(): void {
    for (const { waiting } of this.#clients.values()) for (const socket of waiting.keys()) socket.destroy();
    this.#clients.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #client(name: string): Client {
    const known = this.#clients.get(name);
    if (known) return known;
    const client = { tokens: this.#limits.burst, at: performance.now(), waiting: new Map() };
    this.#clients.set(name, client);
    this.#timer ??= setInterval(() => this.#acceptWaiting(), 1000 / this.#limits.perSecond).unref();
    return client;
  }

  #acceptWaiting(): void {
    for (const [name, client] of this.#clients) {
      for (const [socket, takeIn] of client.waiting) {
        if (!this.#mayReplace(client)) break;
        this.#leave(client, socket);
        takeIn();
      }
      if (client.waiting.size === 0 && this.#tokens(client) >= this.#limits.burst) this.#clients.delete(name);
    }
    if (this.#clients.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #leave({ waiting }: Client, socket: Socket): void {
    if (waiting.delete(socket)) this.#size -= 1;
  }

  #mayReplace(client: Client): boolean {
    if (this.#tokens(client) < 1) return false;
    client.tokens -= 1;
    return true;
  }

  #tokens(client: Client): number {
    const now = performance.now();
    const { burst, perSecond } = this.#limits;
    client.tokens = Math.min(burst, client.tokens + ((now - client.at) * perSecond) / 1000);
    client.at = now;
    return client.tokens;
  }
}
