import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dig } from '../../test/support/dig.ts';
import { eventually } from '../../test/support/eventually.ts';
import { dnsmasq, knot, unbound, write } from './configuration.ts';
import { SERVER_CORE } from './load.ts';
import { type Named, nameOf, PORT_OF_SERVICES, targetOf } from './names.ts';

/** A server under load. */
export interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly isOurs: boolean;
}

export interface ServerOptions {
  readonly name: string;
  readonly port: number;
  readonly command: readonly string[];
  /** All its names. The server counts as started once it answers the first and the last. */
  readonly all: readonly Named[];
  /** Loads the data, if the configuration does not contain it. */
  readonly fill?: () => Promise<void>;
  readonly isOurs?: boolean;
}

/** Starts a program on the servers' core, and waits until it answers. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { name, port, all, fill, isOurs = false } = options;
  const [program = '', ...args] = options.command;
  const child = spawn('taskset', ['-c', SERVER_CORE, program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-2_000);
  });
  let filled = fill === undefined;
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`${name} has ended: ${complaint}`);
    if (!filled) await fill?.();
    filled = true;
    for (const named of all.length > 0 ? ([all[0], all.at(-1)] as Named[]) : []) {
      const { answers, flags } = await dig(nameOf(named), { port });
      // unbound truncates a long answer to nothing.
      if (answers.length === 0 && !flags.includes('tc'))
        throw new Error(`${name} does not know ${nameOf(named)}`);
    }
  };
  try {
    await eventually(isReady, { within: 120_000, every: 200 });
  } catch (error) {
    await end(child);
    throw error;
  }
  return { name, port, pid: child.pid as number, isOurs, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** Consul in memory, with the services in its catalog and its maximum of addresses in an answer. */
export async function startConsul(binary: string, port: number, all: readonly Named[]): Promise<Server> {
  const [http, ...others] = [port + 1, port + 2, port + 3, port + 4] as const;
  const configuration = `
    bind_addr = "127.0.0.1"
    limits { http_max_conns_per_client = 1000 }
    dns_config { udp_answer_limit = 8 }
    ports { dns = ${port} http = ${http} grpc = -1 serf_lan = ${others[0]} serf_wan = ${others[1]} server = ${others[2]} }`;
  const command = [binary, 'agent', '-dev', '-log-level=err', '-node=bench', '-hcl', configuration];
  const fill = () => registerAll(`http://127.0.0.1:${http}/v1`, all);
  return await startServer({ name: 'Consul', port, command, all, fill });
}

/** The maximum of one transaction. */
const OPERATIONS = 64;

async function registerAll(api: string, all: readonly Named[]): Promise<void> {
  const put = async (path: string, body: unknown) => {
    const { ok, status } = await fetch(`${api}/${path}`, { method: 'PUT', body: JSON.stringify(body) });
    if (!ok) throw new Error(`Consul rejects a registration with status ${status}`);
  };
  // A node without an agent: an agent removes services from its own node that it has not registered itself.
  const Node = 'elsewhere';
  await put('catalog/register', { Node, Address: '192.0.2.1' });
  const operations = all.flatMap(({ name, addresses }) =>
    addresses.map((Address, index) => {
      const Service = { ID: `${name}-${index}`, Service: name, Address, Port: PORT_OF_SERVICES };
      return { Service: { Verb: 'set', Node, Service } };
    }),
  );
  for (let at = 0; at < operations.length; at += OPERATIONS) {
    await put('txn', operations.slice(at, at + OPERATIONS));
  }
}

/** A peer's command for these services; its configuration is written into the folder. */
export type Configure = (
  folder: string,
  port: number,
  all: readonly Named[],
  queries: 'mix' | 'a',
) => readonly string[];

/** The servers in Debian, each with the records in its own configuration. */
export const PEERS: Readonly<Record<string, Configure>> = {
  dnsmasq(folder, port, all, queries) {
    const hosts = all.flatMap((named) =>
      named.addresses.flatMap((address) => [
        `${address} ${nameOf(named)}`,
        `${address} ${targetOf(address)}`,
      ]),
    );
    const services = all.flatMap((named) =>
      named.addresses.map(
        (address) => `srv-host=${nameOf(named)},${targetOf(address)},${PORT_OF_SERVICES},1,1`,
      ),
    );
    // dnsmasq hashes names of a hosts file, but searches srv-host linearly for every type of query.
    const addresses = `addn-hosts=${write(folder, 'hosts', hosts)}`;
    const settings = ['local=/consul/', addresses];
    return dnsmasq(folder, port, queries === 'a' ? settings : [...settings, ...services]);
  },
  unbound: (folder, port, all) =>
    unbound(folder, port, [
      'local-zone: "consul." static',
      ...records(all).map((record) => `local-data: "${record}"`),
    ]),
  Knot: (folder, port, all) => knot(folder, port, records(all)),
};

/** The services as lines of a zone file. */
function records(all: readonly Named[]): string[] {
  return all.flatMap((named) =>
    named.addresses.flatMap((address) => [
      `${nameOf(named)}. 0 IN A ${address}`,
      `${nameOf(named)}. 0 IN SRV 1 1 ${PORT_OF_SERVICES} ${targetOf(address)}.`,
      `${targetOf(address)}. 0 IN A ${address}`,
    ]),
  );
}
