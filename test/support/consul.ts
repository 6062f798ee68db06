import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { findConsul } from '../../scripts/setup/consul.mjs';
import { eventually } from './eventually.ts';

export interface ConsulOptions {
  /** Added to each of the usual ports (8500, 8600, …): for a second agent. */
  readonly portOffset?: number;
  readonly dnsPort?: number;
  /** The address it lives at; default 127.0.0.1. A cluster on one machine has 127.0.0.2 and so on. */
  readonly address?: string;
  readonly node?: string;
  /** In place of `-dev`: `['-server', '-bootstrap-expect=1', '-data-dir=…']`, a client agent, … */
  readonly mode?: readonly string[];
  /** Further configuration in HCL: `limits { rpc_rate = 1 }`. */
  readonly configuration?: string;
  /** Ready as soon as a leader is elected: for an agent that denies all reads. */
  readonly leaderOnly?: boolean;
}

/** A service as Consul's agent lists it. */
export interface AgentService {
  readonly ID: string;
  readonly Service: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags: readonly string[];
  readonly Meta: Readonly<Record<string, string>>;
}

/** An instance of a service as `/v1/health/service` lists it. */
export interface HealthEntry {
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Tags: readonly string[];
    readonly CreateIndex: number;
    readonly ModifyIndex: number;
  };
  readonly Checks: readonly { readonly Status: string }[];
}

/**
 * A real Consul agent. Without a mode it is in development mode: one server, everything in memory, so that a restart
 * is a wipe.
 */
export class ConsulAgent {
  readonly httpPort: number;
  readonly dnsPort: number;
  readonly #address: string;
  readonly #node: string;
  readonly #args: readonly string[];
  readonly #leaderOnly: boolean;
  #process: ChildProcess | undefined;
  #output = '';

  constructor(options: ConsulOptions = {}) {
    const { portOffset = 0, dnsPort = 8600 + portOffset, configuration = '', leaderOnly = false } = options;
    const { address = '127.0.0.1', node = 'heddle-n1', mode = ['-dev'] } = options;
    this.#leaderOnly = leaderOnly;
    this.#address = address;
    this.#node = node;
    this.httpPort = 8500 + portOffset;
    this.dnsPort = dnsPort;
    const others = { 'server-port': 8300, 'serf-lan-port': 8301, 'serf-wan-port': 8302 };
    this.#args = [
      ...['agent', ...mode, `-bind=${address}`, `-client=${address}`, `-node=${node}`],
      ...[`-http-port=${this.httpPort}`, `-dns-port=${this.dnsPort}`, '-grpc-port=-1'],
      ...Object.entries(others).map(([flag, port]) => `-${flag}=${port + portOffset}`),
      // Servers that keep their data elect themselves in a second, as they do in development mode.
      ...['-hcl', `disable_update_check = true\nperformance { raft_multiplier = 1 }\n${configuration}`],
    ];
  }

  /** What it has logged since its start, at level debug. */
  get output(): string {
    return this.#output;
  }

  get url(): string {
    return `http://${this.#address}:${this.httpPort}`;
  }

  /** As `--registry` takes it. */
  get uri(): string {
    return `consul://${this.#address}:${this.httpPort}`;
  }

  /** Resolves when a leader is elected and registrations are seen. */
  async start(): Promise<void> {
    const binary = process.env.HEDDLE_TEST_CONSUL ?? findConsul();
    if (binary === undefined) throw new Error('no consul here: npm test fetches it');
    this.#output = '';
    const agent = spawn(binary, this.#args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [agent.stdout, agent.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        this.#output = `${this.#output}${chunk}`.slice(-100_000);
      });
    }
    this.#process = agent;
    await eventually(
      async () => {
        if (agent.exitCode !== null) throw new Error(`Consul has ended:\n${this.#output}`);
        const proof = this.#leaderOnly ? '/v1/status/leader' : '/v1/health/service/consul?passing';
        if ((await this.get<string | unknown[]>(proof)).length === 0)
          throw new Error(`Consul has no leader:\n${this.#output}`);
      },
      { within: 20_000 },
    );
  }

  /** Ends it at once, as a crash would, with everything it knew. */
  async stop(): Promise<void> {
    const agent = this.#process;
    this.#process = undefined;
    if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return;
    const ended = once(agent, 'exit');
    agent.kill('SIGKILL');
    await ended;
  }

  /** An empty Consul in the place of the old one. */
  async wipe(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Connections are taken, but nothing is answered. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** Makes it read its configuration files again. */
  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  /** The services of this agent, by id. */
  services(): Promise<Record<string, AgentService>> {
    return this.get('/v1/agent/services');
  }

  /** What the servers know of a node, this agent's or another, by id. */
  async catalog(node = this.#node): Promise<Record<string, AgentService>> {
    const found = await this.get<{ Services?: Record<string, AgentService> } | null>(
      `/v1/catalog/node/${node}`,
    );
    return found?.Services ?? {};
  }

  /** Gives a service other tags without the knowledge of its owner. */
  async retag(service: string, ...Tags: readonly string[]): Promise<void> {
    const [held] = await this.get<HealthEntry[]>(`/v1/health/service/${service}`);
    if (held === undefined) throw new Error(`Consul has no ${service}`);
    const { Node, Address } = held.Node;
    const Service = { ...held.Service, Tags };
    await this.put('/v1/catalog/register', { Node, Address, SkipNodeUpdate: true, Service });
  }

  /** GET of its HTTP API. @throws Error on any status but 200 */
  async get<T>(path: string): Promise<T> {
    return (await this.#request('GET', path)).json() as Promise<T>;
  }

  /** PUT of its HTTP API; undefined where it answers nothing. @throws Error on any status but 200 */
  async put<T>(path: string, body: unknown = {}): Promise<T> {
    const text = await (await this.#request('PUT', path, JSON.stringify(body))).text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async #request(method: string, path: string, body?: string): Promise<Response> {
    const options = { method, signal: AbortSignal.timeout(5000), ...(body === undefined ? {} : { body }) };
    const response = await fetch(`${this.url}${path}`, options);
    if (response.ok) return response;
    throw new Error(`Consul answered ${response.status} to ${method} ${path}: ${await response.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** A running agent, stopped when its scope ends. */
export async function startConsul(options?: ConsulOptions): Promise<ConsulAgent> {
  const agent = new ConsulAgent(options);
  try {
    await agent.start();
  } catch (error) {
    await agent.stop();
    throw error;
  }
  return agent;
}
