import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ListenAddress } from '../listen.ts';
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts';

/** An upstream server that other names are forwarded to. */
export type Upstream = ListenAddress;

/** Upstream servers for the same names, and how to query them. */
export interface UpstreamSet {
  /** In the order of queries. */
  readonly servers: readonly Upstream[];
  /** Milliseconds given to each server, each time. */
  readonly timeoutMs?: number;
  /** How often each server is queried until one answers. */
  readonly attempts?: number;
  /** Whether each query begins with the next server. */
  readonly rotate?: boolean;
  /** Whether only TCP is used. */
  readonly useTcp?: boolean;
}

const DNS_PORT = 53;
/** How often the file is checked while there are queries, in milliseconds. */
const CHECK_MS = 1_000;

export interface UpstreamsNeeds {
  /** Whether heddle itself answers at this address; querying ourselves would never end. */
  readonly isOwn: (address: Upstream) => boolean;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now?: () => number;
}

/** The upstream servers that the host's resolv.conf names at this moment. */
export class Upstreams {
  readonly #needs: UpstreamsNeeds;
  readonly #path: string;
  /** Addresses in the file, our own included; the same objects as long as the file is unchanged. */
  #named: readonly Upstream[] = [];
  #options: Omit<ResolvConf, 'servers'> = { rotate: false };
  #current: UpstreamSet = { servers: [] };
  /** Identifies the file's last state, or holds the reason why it could not be read. */
  #version = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(needs: UpstreamsNeeds, path = '/etc/resolv.conf') {
    this.#needs = needs;
    this.#path = path;
  }

  /**
   * The servers without our own addresses; the same object as long as nothing changes. If the file cannot be read, the
   * last known servers.
   */
  async current(): Promise<UpstreamSet> {
    const now = (this.#needs.now ?? performance.now.bind(performance))();
    if (now - this.#checkedAt >= CHECK_MS) {
      this.#checkedAt = now;
      this.#checking = this.#check();
    }
    await this.#checking;
    return this.#current;
  }

  async #check(): Promise<void> {
    await this.#read();
    // Our own addresses change with the bridges.
    const servers = this.#named.filter((server) => !this.#needs.isOwn(server));
    const known = this.#current.servers;
    const isSame = servers.length === known.length && servers.every((server, at) => server === known[at]);
    if (!isSame) this.#current = { ...this.#options, servers };
  }

  async #read(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      const { servers, ...options } = parseResolvConf(await readFile(this.#path, 'utf8'));
      this.#version = version;
      this.#named = servers.map((ip) => ({ ip, port: DNS_PORT }));
      this.#options = options;
      this.#needs.log.info({ servers, ...options }, `forwarding to the resolvers of ${this.#path}`);
    } catch (error) {
      const why = messageOf(error);
      if (why === this.#version) return;
      this.#version = why;
      this.#needs.log.warn(`cannot read ${this.#path}: ${why}; still using the last known resolvers`);
    }
  }
}
