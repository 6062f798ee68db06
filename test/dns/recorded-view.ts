import { isIP } from 'node:net';
import { readService } from '../../src/registry/consul/api/answers.ts';
import type { Instance, NodeEntry, View } from '../../src/registry/registry.ts';
import type { CheckStatus, Service } from '../../src/services/service.ts';

/** One recorded call of Consul's API, in Consul's format. */
export interface Registration {
  readonly via: string;
  readonly body?: ConsulBody;
  readonly id?: string;
  readonly enable?: boolean;
  readonly verb?: string;
  readonly check_id?: string;
}

/** The agent's API has it as `Name`, the catalog's as `Service`. */
interface ConsulService {
  readonly ID: string;
  readonly Name?: string;
  readonly Service?: string;
  readonly Address?: string;
  readonly Port?: number;
  readonly Tags?: readonly string[];
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string }>> | null;
}

interface ConsulCheck {
  readonly CheckID: string;
  readonly Status?: CheckStatus;
  readonly ServiceID?: string;
}

interface ConsulBody extends ConsulService {
  readonly Check?: ConsulCheck;
  readonly Checks?: readonly ConsulCheck[];
  readonly Node?: string;
}

interface CatalogBody {
  readonly Node: string;
  readonly Address: string;
  readonly NodeMeta?: Readonly<Record<string, string>>;
  readonly Service: ConsulService;
  readonly Check?: ConsulCheck;
}

const AGENT = { node: 'heddle-n1', address: '127.0.0.1', meta: { 'consul-network-segment': '' } };
/** A check with this service belongs to the whole node. */
const WHOLE_NODE = '';
const WORST_FIRST: readonly CheckStatus[] = ['critical', 'warning', 'passing'];

/** An agent repeats an address as the one of its family. */
function asAgentHasIt(service: ConsulService): ConsulService {
  const { Address = '', TaggedAddresses } = service;
  if (!isIP(Address)) return service;
  const family = Address.includes(':') && !Address.includes('.') ? 'lan_ipv6' : 'lan_ipv4';
  return { ...service, TaggedAddresses: { [family]: { Address }, ...TaggedAddresses } };
}

/** The resolver's view of a Consul agent after the recorded registrations. */
export class RecordedView implements View {
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #services = new Map<string, { readonly node: string; readonly service: ConsulService }>();
  readonly #checks = new Map<string, { readonly node: string; readonly of: string; status: CheckStatus }>();

  /** `meta`: the metadata of the agent's own node. */
  constructor(registrations: readonly Registration[], meta: NodeEntry['meta'] = AGENT.meta) {
    this.#nodes.set(AGENT.node, { ...AGENT, meta });
    this.#add(AGENT.node, { ID: 'consul', Name: 'consul', Port: 8300 });
    for (const registration of registrations) this.#apply(registration);
  }

  instances(name: string): Instance[] {
    return this.#all().filter((instance) => instance.service.name.toLowerCase() === name);
  }

  node(name: string): NodeEntry | undefined {
    return [...this.#nodes].find(([node]) => node.toLowerCase() === name)?.[1];
  }

  byAddress(ip: string): Instance[] {
    return this.#all().filter(({ service, nodeAddress }) => service.address === ip || nodeAddress === ip);
  }

  #all(): Instance[] {
    return [...this.#services.values()].map(({ node, service }) => ({
      node,
      nodeAddress: (this.#nodes.get(node) as NodeEntry).address,
      status: this.#statusOf(node, service.ID),
      service: readService({ ...service, Service: service.Name ?? service.Service ?? '' }) as Service,
    }));
  }

  #statusOf(node: string, id: string): CheckStatus {
    const statuses = [...this.#checks.values()]
      .filter((check) => check.node === node && (check.of === id || check.of === WHOLE_NODE))
      .map((check) => check.status);
    return WORST_FIRST.find((status) => statuses.includes(status)) ?? 'passing';
  }

  #add(node: string, service: ConsulService): void {
    this.#services.set(`${node} ${service.ID}`, { node, service });
  }

  #check(node: string, of: string, { CheckID, Status = 'critical' }: ConsulCheck): void {
    this.#checks.set(`${node} ${CheckID}`, { node, of, status: Status });
  }

  #apply({ via, body, id, enable, verb, check_id }: Registration): void {
    switch (via) {
      case 'agent-service': {
        const service = body as ConsulBody;
        this.#add(AGENT.node, asAgentHasIt(service));
        const checks = [...(service.Checks ?? []), ...(service.Check ? [service.Check] : [])];
        for (const check of checks) this.#check(AGENT.node, service.ID, check);
        return;
      }
      case 'catalog': {
        const { Node, Address, NodeMeta = {}, Service, Check } = body as unknown as CatalogBody;
        this.#nodes.set(Node, { address: Address, meta: NodeMeta });
        this.#add(Node, Service);
        if (Check) this.#check(Node, Check.ServiceID ?? WHOLE_NODE, Check);
        return;
      }
      case 'agent-service-maintenance':
        if (enable) this.#check(AGENT.node, id as string, { CheckID: `_service_maintenance:${id}` });
        return;
      case 'agent-check-update': {
        const check = this.#checks.get(`${AGENT.node} ${check_id}`);
        const statuses: Record<string, CheckStatus> = { pass: 'passing', warn: 'warning', fail: 'critical' };
        if (check) check.status = statuses[verb as string] as CheckStatus;
        return;
      }
      default:
        throw new Error(`recorded registration of an unknown kind: ${via}`);
    }
  }
}
