import { loadSettings } from '../../src/config/load.ts';
import type { SettingName } from '../../src/config/schema.ts';
import { assembleRegistration, type Registration } from '../../src/daemon/registration.ts';
import { NameService } from '../../src/dns/name-service.ts';
import type { RosterEntry } from '../../src/roster/entry.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { nameServiceNeeds } from '../dns/name-service-needs.ts';
import type { ConsulAgent } from './consul.ts';

/** Where it answers. */
const PORT = 5354;
const HOST_ID = '0123456789ab';

/**
 * Registration and names over a real agent, put together as the daemon does it: its containers are registered in the
 * agent, and names are resolved from the desired services and, for all others, from the agent.
 */
export class AgentResolver {
  readonly port = PORT;
  readonly registration: Registration;
  readonly #names: NameService;

  private constructor(registration: Registration, names: NameService) {
    this.registration = registration;
    this.#names = names;
  }

  static async start(
    agent: ConsulAgent,
    flags: Readonly<Partial<Record<SettingName, unknown>>>,
    containers: readonly RosterEntry[],
  ): Promise<AgentResolver> {
    const fixed = { registry: agent.uri, onStop: 'deregister', dnsListen: `127.0.0.1:${PORT}`, dns: false };
    const resolvers = { consulDns: `127.0.0.1:${agent.dnsPort}`, resolvConf: '/dev/null' };
    const { settings } = await loadSettings({ flags: { ...fixed, ...resolvers, ...flags }, env: {} });
    const registration = assembleRegistration(settings, { hostId: HOST_ID, log: () => silentLogger });
    const { open, view, health, desired, reconciler } = registration;
    const names = new NameService(nameServiceNeeds({ view, node: () => open.node() }), settings);
    await names.start();
    await open.start(() => {});
    for (const part of health) await part.start();
    for (const container of containers) desired.set(container);
    await reconciler.start();
    await reconciler.flush();
    return new AgentResolver(registration, names);
  }

  /** Stops it, and takes its containers out of the agent. */
  async stop(): Promise<void> {
    const { open, health, remote, reconciler } = this.registration;
    await reconciler.stop();
    for (const part of health) await part.stop();
    await remote?.stop();
    await open.stop();
    await this.#names.stop();
  }
}
