import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';

interface Held {
  readonly ID: string;
  readonly Service: string;
  readonly Address: string;
  readonly Port: number;
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string }>>;
  readonly Meta: Readonly<Record<string, string>>;
}

interface HeldCheck {
  readonly CheckID: string;
  readonly ServiceID: string;
  readonly Status: string;
  readonly ttl: boolean;
}

interface CheckBody {
  readonly CheckID: string;
  readonly Status?: string;
  readonly TTL?: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/**
 * The part of a Consul agent's HTTP API that heddle uses, in memory, with the observed answers of Consul 1.8.7. The
 * contract suite compares it with the real one.
 */
export class FakeConsul {
  /** Overrides an answer: `PUT /v1/agent/service/register` to status and body. */
  readonly overrides = new Map<string, Answer>();
  /** False as before Consul 1.6, where a service has no addresses beside its own. */
  keepsFamilies = true;
  /** Method and path of every request. */
  readonly requests: string[] = [];
  /** The headers of the last request. */
  lastHeaders: IncomingMessage['headers'] = {};
  /** Path and query of the last request. */
  lastUrl = '';
  readonly #services = new Map<string, Held>();
  readonly #checks = new Map<string, HeldCheck>();
  /** Moves with every write. */
  #index = 1;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      void bodyOf(request).then((text) => {
        const { status, body } = this.#answer(request, text);
        const type =
          typeof body === 'string' && status >= 400 ? 'text/plain; charset=utf-8' : 'application/json';
        response.writeHead(status, { 'content-type': type, 'x-consul-index': this.#index });
        response.end(
          type === 'application/json' && body !== undefined ? JSON.stringify(body) : (body as string),
        );
      });
    });
  }

  /** Listens on a free port of 127.0.0.1, or on the given one. */
  static async start(
    where: { host: string } | { path: string } = { host: '127.0.0.1' },
  ): Promise<FakeConsul> {
    const fake = new FakeConsul();
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject).listen('path' in where ? where : { ...where, port: 0 }, resolve);
    });
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  wipe(): void {
    this.#index += 1;
    this.#services.clear();
    this.#checks.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, text: string): Answer {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://consul');
    const route = `${request.method} ${decodeURIComponent(pathname)}`;
    if (request.method === 'PUT') this.#index += 1;
    this.requests.push(route);
    this.lastHeaders = request.headers;
    this.lastUrl = request.url ?? '';
    const override = this.overrides.get(route);
    if (override !== undefined) return override;
    const [, verb, id = ''] = /^(PUT|GET) \/v1\/.*\/([^/]*)$/.exec(route) ?? [];
    const selected = () => select([...this.#services.values()], searchParams.get('filter'));
    if (route === 'GET /v1/status/leader') return ok('127.0.0.1:8300');
    if (route === 'GET /v1/agent/services') return ok(selected());
    if (route === 'GET /v1/catalog/services') return ok({ consul: [] });
    if (route === 'GET /v1/acl/token/self') return { status: 401, body: 'ACL support disabled' };
    if (route === 'GET /v1/agent/self') return ok(SELF);
    if (route === 'GET /v1/catalog/node/n1') return ok({ Node: NODE, Services: selected() });
    if (route.startsWith('GET /v1/catalog/node/')) return ok(null);
    if (route === 'GET /v1/health/node/n1') return ok([]);
    if (route.startsWith('GET /v1/health/service/')) return ok(this.#health(id));
    if (route === 'PUT /v1/agent/service/register') return this.#register(JSON.parse(text));
    if (route === 'GET /v1/agent/checks') return ok(matching(this.#checks, searchParams.get('filter')));
    if (route.startsWith('PUT /v1/agent/check/update/')) return this.#update(id, JSON.parse(text).Status);
    if (verb === 'GET' && this.#services.has(id)) return ok(this.#services.get(id));
    if (verb === 'GET') return { status: 404, body: `unknown service ID: ${id}` };
    this.#services.delete(id);
    this.#dropChecks(id);
    return ok(undefined);
  }

  #dropChecks(service: string): void {
    for (const [id, { ServiceID }] of this.#checks) if (ServiceID === service) this.#checks.delete(id);
  }

  #update(id: string, Status: string): Answer {
    const check = this.#checks.get(id);
    if (!check?.ttl) return { status: 500, body: `CheckID "${id}" does not have associated TTL` };
    this.#checks.set(id, { ...check, Status });
    return ok(undefined);
  }

  #register({
    Name,
    Checks = [],
    ...rest
  }: { Name: string; Checks?: readonly CheckBody[] } & Omit<Held, 'Service'>): Answer {
    const bad = Object.keys(rest.Meta ?? {}).find((key) => !/^[A-Za-z0-9_-]{1,128}$/.test(key));
    if (bad !== undefined)
      return { status: 400, body: `Invalid Service Meta: Couldn't load metadata pair ('${bad}'` };
    const own = { [`lan_ipv${isIP(rest.Address)}`]: { Address: rest.Address, Port: rest.Port } };
    const tagged = isIP(rest.Address) === 0 ? {} : own;
    const TaggedAddresses = this.keepsFamilies ? { ...tagged, ...rest.TaggedAddresses } : {};
    this.#services.set(rest.ID, { Service: Name, ...rest, TaggedAddresses });
    this.#dropChecks(rest.ID);
    for (const { CheckID, Status = 'critical', TTL } of Checks) {
      this.#checks.set(CheckID, { CheckID, ServiceID: rest.ID, Status, ttl: TTL !== undefined });
    }
    return ok(undefined);
  }

  #health(name: string): unknown {
    const found = [...this.#services.values()].filter(
      ({ Service }) => Service.toLowerCase() === name.toLowerCase(),
    );
    const checksOf = (id: string) => [...this.#checks.values()].filter(({ ServiceID }) => ServiceID === id);
    return found.map((service) => ({ Node: NODE, Service: service, Checks: checksOf(service.ID) }));
  }
}

const NODE = { Node: 'n1', Address: '127.0.0.1' };
const SELF = {
  Config: { NodeName: 'n1', Datacenter: 'dc1', Version: '1.8.7' },
  Member: { Addr: '127.0.0.1' },
};

function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Understands `Meta["a"] == "b" and …`, which is all that heddle asks. */
function select(services: readonly Held[], filter: string | null): Record<string, Held> {
  const terms = [...(filter ?? '').matchAll(/Meta\["([^"]+)"\] == "([^"]*)"/g)];
  const matches = services.filter(({ Meta }) => terms.every(([, key = '', value]) => Meta?.[key] === value));
  return Object.fromEntries(matches.map((service) => [service.ID, service]));
}

/** Understands `CheckID matches "…"` and `ServiceID == "…"`. */
function matching(checks: ReadonlyMap<string, HeldCheck>, filter: string | null): Record<string, HeldCheck> {
  const [, service] = /^ServiceID == "(.*)"$/.exec(filter ?? '') ?? [];
  if (service !== undefined) {
    return Object.fromEntries([...checks].filter(([, { ServiceID }]) => ServiceID === service));
  }
  const [, pattern = ''] = /^CheckID matches "(.*)"$/.exec(filter ?? '') ?? [];
  return Object.fromEntries([...checks].filter(([id]) => new RegExp(pattern).test(id)));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
