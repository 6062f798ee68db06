import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { ListenAddress } from '../listen.ts';
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts';

/** A resolver that other names are forwarded to. */
export type Upstream = ListenAddress;

/** Resolvers that are asked for the same names, and how. */
export interface UpstreamSet {
  /** In the order to ask them. */
  readonly servers: readonly Upstream[];
  /** Milliseconds given to each server, each time. */
  readonly timeoutMs?: number;
  /** How often each server is asked until one answers. */
  readonly attempts?: number;
  /** Whether each question begins with the next server. */
  readonly rotate?: boolean;
  /** Whether they are asked over TCP alone. */
  readonly useTcp?: boolean;
}

const DNS_PORT = 53;
/** How often the file is looked at, in milliseconds, while there are queries. */
const CHECK_MS = 1_000;

export interface UpstreamsNeeds {
  /** Whether we answer there ourselves; asking ourselves would never end. */
  readonly isOwn: (address: Upstream) => boolean;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly now?: () => number;
}

/** The host's own resolvers, as its resolv.conf names them at this moment. */
export class Upstreams {
  readonly #needs: UpstreamsNeeds;
  readonly #path: string;
  /** Addresses of the file, ourselves among them; the same objects as long as the file is the same. */
  #named: readonly Upstream[] = [];
  #manner: Omit<ResolvConf, 'servers'> = { rotate: false };
  #current: UpstreamSet = { servers: [] };
  /** What told the file's last state from others, or why it could not be read. */
  #version = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(needs: UpstreamsNeeds, path = '/etc/resolv.conf') {
    this.#needs = needs;
    this.#path = path;
  }

  /** Without ourselves, the same object as long as nothing changes. A file that cannot be read leaves the last ones. */
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
    // Which addresses are ours changes with the bridges.
    const servers = this.#named.filter((server) => !this.#needs.isOwn(server));
    const known = this.#current.servers;
    const isSame = servers.length === known.length && servers.every((server, at) => server === known[at]);
    if (!isSame) this.#current = { ...this.#manner, servers };
  }

  async #read(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      const { servers, ...manner } = parseResolvConf(await readFile(this.#path, 'utf8'));
      this.#version = version;
      this.#named = servers.map((ip) => ({ ip, port: DNS_PORT }));
      this.#manner = manner;
      this.#needs.log.info({ servers, ...manner }, `forwarding to the resolvers of ${this.#path}`);
    } catch (error) {
      const why = messageOf(error);
      if (why === this.#version) return;
      this.#version = why;
      this.#needs.log.warn(`cannot read ${this.#path}: ${why}; the last known resolvers stay in use`);
    }
  }
}
