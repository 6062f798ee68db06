import type Dockerode from 'dockerode';
import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import * as v from 'valibot';
import { HeddleError, hasCode, messageOf } from '../errors.ts';
import { bridgeOf, DEFAULT_DEVICE } from './bridge.ts';
import { type DockerClient, unexpectedAnswer } from './client.ts';
import { containerName } from './container-name.ts';
import { snapshotOf } from './inspect.ts';
import { type Listed, listedOf } from './list.ts';
import type { Snapshot } from './snapshot.ts';

export interface EngineInfo {
  /** Stable for the life of the engine's data folder: two addresses with one id are one engine. */
  readonly id: string;
  /** The host's name as the engine reports it. */
  readonly name: string;
  readonly version: string;
  /** Its clock when it answered, RFC 3339. */
  readonly time: string;
  /** podman implements Docker's API, and deviates in some calls. */
  readonly maker: 'docker' | 'podman';
}

/** The Docker calls that the event loop and the commands need; Docker's JSON is parsed behind this interface. */
export interface Docker {
  /** `unix:///var/run/docker.sock`, for messages. */
  readonly address: string;
  info(): Promise<EngineInfo>;
  /** All containers, stopped ones included. */
  containers(): Promise<readonly Listed[]>;
  /** By id, unambiguous prefix of an id, or name; `undefined` if there is no such container. */
  inspect(container: string): Promise<Snapshot | undefined>;
  /** The bytes of the events stream from `since` (seconds since 1970, or now); aborting the signal ends it. */
  events(since: number | undefined, signal: AbortSignal): Promise<NodeJS.ReadableStream>;
  /** The Linux bridge of Docker's network `bridge`; it may have another name than docker0. */
  bridgeDevice(): Promise<string>;
}

/** Events that can change a container's state, name or addresses. */
export const WATCHED_ACTIONS = [
  ...['start', 'die', 'stop', 'kill', 'destroy', 'pause', 'unpause', 'rename', 'update', 'health_status'],
  ...['connect', 'disconnect'],
  // podman's name for destroy
  'remove',
] as const;

/** Added to a container's own stop timeout: a busy engine takes seconds to start a container. */
const RESTART_MARGIN_MS = 30_000;

/** One engine behind its API. Every method throws HeddleError as DockerClient does. */
export class DockerEngine implements Docker {
  readonly #client: DockerClient;
  /** Requested once for each connection: it can only change with a restart of the engine. */
  #bridge: Promise<string> | undefined;

  constructor(client: DockerClient) {
    this.#client = client;
  }

  get address(): string {
    return this.#client.address;
  }

  async info(): Promise<EngineInfo> {
    const info = await this.#client.call('ask for its identity', (client) => client.info());
    return this.#read('the request for its identity', () => infoOf(info));
  }

  async containers(): Promise<readonly Listed[]> {
    const all = await this.#client.call('list its containers', (client) =>
      client.listContainers({ all: true }),
    );
    return this.#read('the request for its containers', () => listOf(all));
  }

  async inspect(container: string): Promise<Snapshot | undefined> {
    const name = containerName(container);
    const inspect = await this.#find(name);
    return inspect && this.#read(`the request for '${name}'`, () => snapshotOf(inspect, this.#client.kept));
  }

  /** The same for a container that must exist. @throws HeddleError `not-found` */
  async find(container: string): Promise<Snapshot> {
    const snapshot = await this.inspect(container);
    if (snapshot) return snapshot;
    throw new HeddleError('not-found', `there is no container '${container}'; see docker ps --all`);
  }

  /** @throws HeddleError `not-found`, `refused` */
  async start({ id, name }: Snapshot): Promise<void> {
    await this.#client.call(`start '${name}'`, (client) => client.getContainer(id).start());
  }

  /** Stops a container, waits up to its stop timeout, and starts it again. @throws HeddleError `not-found`, `refused` */
  async restart({ id, name, stop }: Snapshot): Promise<void> {
    const limit = stop.timeout * 1000 + RESTART_MARGIN_MS;
    await this.#client.call(`restart '${name}'`, (client) => client.getContainer(id).restart(), limit);
  }

  async events(since: number | undefined, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
    this.#client.renew();
    this.#bridge = undefined;
    const filters = { type: ['container', 'network'], event: [...WATCHED_ACTIONS] };
    const options = {
      filters,
      abortSignal: signal,
      ...(since === undefined ? {} : { since: since.toFixed(9) }),
    };
    return await this.#client.call('subscribe to its events', (client) =>
      client.getEvents(options as unknown as Dockerode.GetEventsOptions),
    );
  }

  bridgeDevice(): Promise<string> {
    this.#bridge ??= this.#askBridge().catch((error: unknown) => {
      this.#bridge = undefined;
      throw error;
    });
    return this.#bridge;
  }

  async #askBridge(): Promise<string> {
    try {
      const network = await this.#client.call('inspect its bridge', (client) =>
        client.getNetwork('bridge').inspect(),
      );
      const { device, isKnown } = this.#read('the request for its bridge', () => bridgeOf(network));
      // A guess is not cached: it holds only until the bridge exists.
      if (!isKnown) this.#bridge = undefined;
      return device;
    } catch (error) {
      if (hasCode(error, 'not-found')) return DEFAULT_DEVICE;
      throw error;
    }
  }

  /** Parses an answer. @throws HeddleError `failed` if it has another shape */
  #read<T>(request: string, parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      throw unexpectedAnswer(this.address, request, messageOf(cause));
    }
  }

  async #find(container: string): Promise<ContainerInspectInfo | undefined> {
    try {
      return await this.#client.call(`inspect '${container}'`, (client) =>
        client.getContainer(container).inspect(),
      );
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined;
      throw error;
    }
  }
}

const Info = v.object({
  ID: v.string(),
  Name: v.optional(v.string(), ''),
  ServerVersion: v.optional(v.string(), ''),
  SystemTime: v.optional(v.string(), ''),
  BuildahVersion: v.optional(v.unknown()),
});

function infoOf(answer: unknown): EngineInfo {
  const {
    ID: id,
    Name: name,
    ServerVersion: version,
    SystemTime: time,
    BuildahVersion,
  } = v.parse(Info, answer);
  return { id, name, version, time, maker: BuildahVersion === undefined ? 'docker' : 'podman' };
}

function listOf(answer: readonly ContainerInfo[]): readonly Listed[] {
  if (!Array.isArray(answer)) throw new Error('not a list');
  return answer.map(listedOf);
}
