import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { ListenAddress } from './listen.ts';

/** A resolver that other names are forwarded to. */
export type Upstream = ListenAddress;

const DNS_PORT = 53;
/** More than any system's resolver asks (glibc: 3). */
const MAX_UPSTREAMS = 8;
/** How often the file is looked at, in milliseconds, while there are queries. */
const CHECK_MS = 1_000;

/** The addresses behind `nameserver` in the text of resolv.conf(5), in order; what is no address is passed over. */
export function parseResolvConf(text: string): readonly string[] {
  const words = text.split('\n').map((line) => line.trim().split(/\s+/));
  const servers = words.flatMap(([keyword, ip]) => (keyword === 'nameserver' && ip && isIP(ip) ? [ip] : []));
  return [...new Set(servers)].slice(0, MAX_UPSTREAMS);
}

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
  #servers: readonly string[] = [];
  /** What told the file's last state from others, or why it could not be read. */
  #version = '';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(needs: UpstreamsNeeds, path = '/etc/resolv.conf') {
    this.#needs = needs;
    this.#path = path;
  }

  /** In the order to ask them. A file that cannot be read leaves the last known ones in use. */
  async list(): Promise<readonly Upstream[]> {
    const now = (this.#needs.now ?? performance.now.bind(performance))();
    if (now - this.#checkedAt >= CHECK_MS) {
      this.#checkedAt = now;
      this.#checking = this.#check();
    }
    await this.#checking;
    return this.#servers.map((ip) => ({ ip, port: DNS_PORT })).filter((server) => !this.#needs.isOwn(server));
  }

  async #check(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version === this.#version) return;
      this.#servers = parseResolvConf(await readFile(this.#path, 'utf8'));
      this.#version = version;
      this.#needs.log.info({ servers: this.#servers }, `forwarding to the resolvers of ${this.#path}`);
    } catch (error) {
      const why = messageOf(error);
      if (why === this.#version) return;
      this.#version = why;
      this.#needs.log.warn(`cannot read ${this.#path}: ${why}; the last known resolvers stay in use`);
    }
  }
}
