import type { Instance, View } from '../../registry/registry.ts';
import { isAnswered } from '../../services/health.ts';
import {
  emptyReply,
  maxAnswers,
  type Question,
  type Reply,
  type ResourceRecord,
  type Zone,
} from '../zone.ts';
import { apexRecords } from './apex.ts';
import { ofHex, parseEndpoint } from './endpoint.ts';
import { addressRecord, addressRecords, located, sameInstances, srvRecords } from './instances.ts';
import { nodeReply } from './node.ts';
import { parseServiceName, type ServiceName } from './service-names.ts';
import { type ServiceZoneSettings, ttlOf } from './settings.ts';
import type { Random } from './shuffle.ts';
import { wallClock } from './wall-clock.ts';

export interface ServiceZoneNeeds {
  readonly view: Pick<View, 'instances' | 'node'>;
  readonly random?: Random;
  /** Milliseconds since 1970; the SOA's serial is its seconds. */
  readonly now?: () => number;
  /** Asks other servers for the addresses of a host outside our domain; empty if the client may not ask them. */
  readonly hostRecords?: (host: string, clientQuestion: Question) => Promise<readonly ResourceRecord[]>;
}

/** Host names followed behind the first one: Consul's bound (`maxRecursionLevelDefault`), observed with 1.8.7. */
const MAX_CHASES = 3;

/** Seconds until other instances are drawn if a service has more than fit: otherwise some would never be answered. */
const REDRAW_S = 10;

/** The types that nodes answer; TXT is their metadata. */
const NODE_TYPES: ReadonlySet<string> = new Set(['A', 'AAAA', 'ANY', 'TXT']);

/**
 * The names of registered services, nodes and addresses below one domain, answered as Consul's DNS answers them.
 * The owner of each record is the name as asked; names inside records end in the primary domain.
 */
export class ServiceZone implements Zone {
  readonly name = 'service';
  readonly #needs: Required<ServiceZoneNeeds>;
  readonly #settings: ServiceZoneSettings;
  readonly #suffixes: readonly (readonly string[])[];

  constructor(needs: ServiceZoneNeeds, settings: ServiceZoneSettings) {
    this.#needs = { random: Math.random, now: wallClock, hostRecords: async () => [], ...needs };
    this.#settings = settings;
    this.#suffixes = [settings.domain, settings.altDomain]
      .filter((domain) => domain !== undefined)
      .map((domain) => domain.toLowerCase().split('.'));
  }

  resolve(question: Question): undefined | Reply | Promise<Reply> {
    const { type, name, asked } = question;
    const below = this.#below(question.labels);
    if (!below) return undefined;
    if (type === 'AXFR' || type === 'IXFR') return emptyReply('NOTIMP', true);
    // The apex answers these two for every name below it.
    if (type === 'SOA' || type === 'NS') return this.#apex(type);
    return this.#answer({ labels: below, name, owner: asked, type, clientQuestion: question }, MAX_CHASES);
  }

  /** The labels left of our domain; undefined for names outside it. */
  #below(labels: readonly string[]): readonly string[] | undefined {
    const suffix = this.#suffixes.find((own) => own.join('.') === labels.slice(-own.length).join('.'));
    return suffix && labels.slice(0, labels.length - suffix.length);
  }

  async #answer(asked: AskedName, chases: number): Promise<Reply> {
    const name = parseServiceName(asked.labels, asked.type);
    if (name.kind === 'invalid' || name.kind === 'consul') return this.#negative('NXDOMAIN');
    if (name.kind === 'addr') return this.#addr(name.digits, asked);
    // As in Consul, other types get an empty answer and never NXDOMAIN, even for a node of another datacenter.
    if (name.kind === 'node' && !NODE_TYPES.has(asked.type)) return positive([]);
    if (name.datacenter !== undefined && name.datacenter !== this.#settings.datacenter) {
      return this.#negative('NXDOMAIN');
    }
    return name.kind === 'node' ? this.#node(name.node, asked) : this.#service(name, asked, chases);
  }

  async #service(name: NamedService, asked: AskedName, chases: number): Promise<Reply> {
    const { view, random } = this.#needs;
    const found = await view.instances(name.service, asked.clientQuestion.client);
    const instances = found.filter((instance) => this.#matches(instance, name.tag));
    const same = this.#stillSame(name.service, found);
    if (instances.length === 0) return this.#negative('NXDOMAIN', same);
    const { name: askedName, owner, type, clientQuestion } = asked;
    const drawn = located(instances, { name: askedName, type }, random);
    const ttl = ttlOf(this.#settings.serviceTtl, name.service);
    const max = maxAnswers(clientQuestion);
    const lasting = (hasHosts: boolean, hasMore: boolean) =>
      hasHosts ? {} : { stillTrue: hasMore ? this.#within(REDRAW_S, same) : same };
    const chase = async (host: string) => {
      const records = await this.#chase(host, clientQuestion, chases);
      return records.map((record) => ({ ...record, ttl }));
    };
    if (type === 'SRV') {
      const { answers, additionals, hasHosts, hasMore } = await srvRecords(drawn, {
        owner,
        ttl,
        max,
        settings: this.#settings,
        chase,
      });
      return positive(answers, { additionals, ...lasting(hasHosts, hasMore) });
    }
    const { records, host, hasMore } = addressRecords(drawn, { owner, type, ttl, max });
    if (records.length > 0) return positive(records, lasting(host !== undefined, hasMore));
    if (host === undefined) return this.#negative('NOERROR', same);
    return positive([{ name: owner, ttl, type: 'CNAME', data: host }, ...(await chase(host))]);
  }

  /**
   * Returns a check whether a name still has these instances. Answers without host names depend on the instances
   * alone, and the view returns those of this host without a request.
   */
  #stillSame(service: string, found: readonly Instance[]): () => boolean {
    const { datacenter } = this.#settings;
    return () => {
      const now = this.#needs.view.instances(service);
      return (
        !(now instanceof Promise) && sameInstances(found, now) && datacenter === this.#settings.datacenter
      );
    };
  }

  /** Whether an instance is healthy enough and has the tag; `tag` is in lower case. */
  #matches({ service, status }: Instance, tag: string | undefined): boolean {
    if (!isAnswered(status, this.#settings)) return false;
    return tag === undefined || service.tags.some((own) => own.toLowerCase() === tag);
  }

  /** The records of a host that an instance has as its address; our own names are asked for ANY, as Consul does. */
  async #chase(host: string, clientQuestion: Question, chases: number): Promise<readonly ResourceRecord[]> {
    const name = host.toLowerCase();
    const labels = this.#below(name.split('.'));
    if (!labels) return this.#needs.hostRecords(host, clientQuestion);
    if (chases === 0) return [];
    return (await this.#answer({ labels, name, owner: host, type: 'ANY', clientQuestion }, chases - 1))
      .answers;
  }

  async #node(name: string, asked: AskedName): Promise<Reply> {
    const node = await this.#needs.view.node(name, asked.clientQuestion.client);
    return node ? nodeReply(node, asked, this.#settings.nodeTtl) : this.#negative('NXDOMAIN');
  }

  /** The address in the digits of a name, whatever the type. Consul lower-cases the owner here. */
  #addr(digits: string, { name }: AskedName): Reply {
    const endpoint = ofHex(digits);
    if (endpoint === undefined) return this.#negative('NXDOMAIN');
    return positive(endpoint === 'unknown' ? [] : [addressRecord(name, this.#settings.nodeTtl, endpoint)]);
  }

  async #apex(type: 'SOA' | 'NS'): Promise<Reply> {
    const { soa, ns, server } = this.#apexRecords();
    const node = await this.#needs.view.node(this.#settings.node);
    const endpoint = node && parseEndpoint(node.address);
    const additionals =
      endpoint && 'ip' in endpoint ? [addressRecord(server, this.#settings.nodeTtl, endpoint)] : [];
    return type === 'NS'
      ? positive([ns], { additionals })
      : positive([soa], { authorities: [ns], additionals });
  }

  /** @param same whether the answer is still right; the SOA's serial is the time, so it holds for a second at most */
  #negative(rcode: 'NOERROR' | 'NXDOMAIN', same?: () => boolean): Reply {
    const { soa } = this.#apexRecords();
    return {
      ...emptyReply(rcode, true),
      authorities: [soa],
      ...(same && { stillTrue: this.#within(1, same) }),
    };
  }

  /** `same`, until the next interval of this many seconds begins. */
  #within(seconds: number, same: () => boolean): () => boolean {
    const interval = () => Math.floor(this.#serial() / seconds);
    const first = interval();
    return () => first === interval() && same();
  }

  #apexRecords() {
    return apexRecords(this.#settings, this.#serial());
  }

  #serial(): number {
    return Math.floor(this.#needs.now() / 1000);
  }
}

function positive(answers: readonly ResourceRecord[], rest: Partial<Reply> = {}): Reply {
  return { ...emptyReply('NOERROR', true), answers, ...rest };
}

type NamedService = Extract<ServiceName, { kind: 'service' }>;

interface AskedName {
  /** The labels left of the domain, in lower case. */
  readonly labels: readonly string[];
  /** The whole name, in lower case. */
  readonly name: string;
  /** The whole name, as asked. */
  readonly owner: string;
  readonly type: string;
  /** The client's original question, which has another name while a host is followed. */
  readonly clientQuestion: Question;
}
