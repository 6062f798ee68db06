import type { Settings } from '../config/schema.ts';
import { overTcp } from '../dns/exchange.ts';
import { lookUp } from '../dns/lookup.ts';
import type { DockerClient } from '../docker/client.ts';
import { HeddleError } from '../errors.ts';
import { createLogger } from '../log.ts';
import type { Cidr } from '../network/engine.ts';
import { assembleParts, type Parts } from '../parts.ts';
import { define } from '../services/define.ts';
import { VERSION } from '../version.ts';
import type { ContainerReport, Host, StatusReport } from './host.ts';
import { containerCounts, networkReport } from './report.ts';

/**
 * The host for one word in this very process, without a daemon: everything is looked at when it is asked for, and
 * nothing is remembered.
 * @throws HeddleError `not-permitted` for whoever is not root
 */
export function localHost(settings: Settings, client: DockerClient): Host {
  if (process.getuid?.() !== 0) {
    throw new HeddleError(
      'not-permitted',
      '--local works on the network of this host itself; run it as root',
    );
  }
  const log = createLogger({ level: 'warn', pretty: true }, process.stderr);
  const parts = assembleParts(settings, {
    client,
    log,
    claims: () => undefined,
    advertised: () => undefined,
  });
  return new LocalHost(parts, settings);
}

const DNS_PORT = 53;
/** As long as a daemon may take to ask others. */
const LOOK_UP_MS = 10_000;

const withoutDaemon = (word: string): HeddleError =>
  new HeddleError(
    'not-running',
    `${word} is kept by the daemon, and none runs here; start one with heddle daemon`,
  );

class LocalHost implements Host {
  readonly #parts: Parts;
  readonly #settings: Settings;

  constructor(parts: Parts, settings: Settings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  async attach(container: string, cidrs: readonly Cidr[]): Promise<void> {
    await this.#parts.attachment.attach(container, cidrs);
  }

  async detach(container: string, cidrs: readonly Cidr[]): Promise<void> {
    await this.#parts.attachment.detach(container, cidrs);
  }

  dnsAddress(): Promise<string> {
    return this.#parts.dnsAddress();
  }

  async addName(): Promise<void> {
    throw withoutDaemon('dns-add');
  }

  async removeName(): Promise<void> {
    throw withoutDaemon('dns-remove');
  }

  lookUp(word: string): Promise<readonly string[]> {
    return lookUp(word, async (query) => {
      const upstream = { ip: await this.dnsAddress(), port: DNS_PORT };
      return await overTcp(
        upstream,
        { message: query, questionEnd: query.length },
        AbortSignal.timeout(LOOK_UP_MS),
      );
    });
  }

  async containers(): Promise<readonly ContainerReport[]> {
    const { docker } = this.#parts;
    const reports = await Promise.all((await docker.containers()).map((id) => this.#look(id)));
    return reports.filter((report) => report !== undefined);
  }

  async status(): Promise<StatusReport> {
    const { docker, network } = this.#parts;
    return {
      version: VERSION,
      daemon: null,
      docker: { address: docker.address, follower: null },
      containers: containerCounts((await this.containers()).map(({ entry }) => entry)),
      registry: null,
      dns: null,
      network: await networkReport(network, this.#settings.bridge),
    };
  }

  async #look(id: string): Promise<ContainerReport | undefined> {
    const { docker, observer } = this.#parts;
    const snapshot = await docker.inspect(id);
    if (!snapshot) return undefined;
    const entry = await observer.observe(snapshot);
    // No registry hears of these: the host-id is only the form's.
    const { definitions, problems } = define(entry, {
      hostId: 'local',
      servicePrefix: this.#settings.servicePrefix,
    });
    return { entry, services: definitions.map(({ service }) => service), problems };
  }
}
