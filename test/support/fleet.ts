import { engineApi } from './engine-api.ts';

export interface FleetOptions {
  /** Beside SERVICE_NAME and the address. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  /** Further parts of Docker's HostConfig. */
  readonly host?: Readonly<Record<string, unknown>>;
}

/**
 * Containers of one scenario, made by the engine's API: each has a service of its own name and, by its label, an
 * address on the weave bridge.
 */
export class Fleet {
  readonly #subnet: string;
  readonly #ids = new Map<string, string>();
  #made = 0;

  /** @param subnet the first three numbers of their addresses: `10.2.50` */
  constructor(subnet: string) {
    this.#subnet = subnet;
  }

  /** Every name so far: those of ended containers must have no answer. */
  get names(): readonly string[] {
    return [...this.#ids.keys()];
  }

  async start(name: string, options: FleetOptions = {}): Promise<void> {
    const { labels = {}, env = {}, command = ['sleep', '3600'], host = {} } = options;
    const number = this.#made++;
    const ip = `${this.#subnet.replace(/\d+$/, (third) => `${Number(third) + Math.floor(number / 250)}`)}.${(number % 250) + 1}`;
    const { Id: id } = (await engineApi('POST', `/containers/create?name=${name}`, {
      Image: 'busybox',
      Cmd: command,
      Env: Object.entries({ SERVICE_NAME: name, ...env }).map(([key, value]) => `${key}=${value}`),
      ExposedPorts: { '80/tcp': {} },
      Labels: { 'heddle.cidr': `${ip}/16`, ...labels },
      HostConfig: { NetworkMode: 'none', ...host },
      // A sleeping pid 1 ignores TERM: the end of an engine would wait ten seconds for each.
      StopTimeout: 1,
    })) as { Id: string };
    this.#ids.set(name, id);
    await engineApi('POST', `/containers/${id}/start`);
  }

  /** Started at once. */
  async startAll(names: readonly string[], options?: FleetOptions): Promise<void> {
    await Promise.all(names.map((name) => this.start(name, options)));
  }

  /** Kills and removes. */
  async end(...names: readonly string[]): Promise<void> {
    const ids = names.map((name) => this.#ids.get(name) as string);
    await Promise.all(ids.map((id) => engineApi('DELETE', `/containers/${id}?force=1&v=1`)));
  }

  /** The process id of a running one, as the engine sees it. */
  async pid(name: string): Promise<number> {
    const { State } = (await engineApi('GET', `/containers/${this.#ids.get(name)}/json`)) as {
      readonly State: { readonly Pid: number };
    };
    return State.Pid;
  }

  /** Those that run, as the engine lists them: `name address`, sorted. */
  async running(): Promise<string[]> {
    const all = (await engineApi('GET', '/containers/json')) as {
      readonly Names: readonly string[];
      readonly Labels: Readonly<Record<string, string>>;
    }[];
    return all
      .filter(({ Names }) => this.#ids.has(Names[0]?.slice(1) ?? ''))
      .map(({ Names, Labels }) => `${Names[0]?.slice(1)} ${Labels['heddle.cidr']?.split('/')[0]}`)
      .sort();
  }
}
