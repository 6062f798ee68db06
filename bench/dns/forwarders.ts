import { dnsmasq, knot, unbound } from './configuration.ts';
import { LOAD_CORE } from './load.ts';
import { type Named, nameOf } from './names.ts';

const COUNT = 1_000;
/** Names that may be cached, and names with TTL 0, which may not. */
export const [KEPT, NOT_KEPT] = [namesWith('kept'), namesWith('fresh')];
/** In seconds. */
const TTLS = { kept: 3600, fresh: 0 };

function namesWith(prefix: string): readonly Named[] {
  return Array.from({ length: COUNT }, (_, index) => ({
    name: `${prefix}${index}`,
    addresses: ['192.0.2.1'],
  }));
}

/** Knot on the core of the load: the upstream server of every forwarder. */
export function upstream(folder: string, port: number): readonly string[] {
  const record = (ttl: number) => (named: Named) => `${nameOf(named)}. ${ttl} A ${named.addresses[0]}`;
  const records = [...KEPT.map(record(TTLS.kept)), ...NOT_KEPT.map(record(TTLS.fresh))];
  return ['taskset', '-c', LOAD_CORE, ...knot(folder, port, records)];
}

export interface ForwarderOptions {
  /** For its configuration. */
  readonly folder: string;
  readonly port: number;
  readonly upstreamPort: number;
  /** Path of heddle-forwarder.js. */
  readonly program: string;
}

/** A forwarder's command. */
export type ConfigureForwarder = (options: ForwarderOptions) => readonly string[];

const ours =
  (step: string): ConfigureForwarder =>
  (
    { program, port, upstreamPort }, // As bin/heddle starts it.
  ) => [process.execPath, '--max-semi-space-size=2', program, String(port), String(upstreamPort), step];

/** The forwarders in Debian, and ours. */
export const FORWARDERS: Readonly<Record<string, ConfigureForwarder>> = {
  'heddle plain': ours('plain'),
  'heddle batched': ours('batched'),
  dnsmasq: ({ folder, port, upstreamPort }) =>
    dnsmasq(folder, port, [`server=127.0.0.1#${upstreamPort}`, 'dns-forward-max=2000']),
  unbound: ({ folder, port, upstreamPort }) =>
    unbound(
      folder,
      port,
      ['do-not-query-localhost: no', 'num-queries-per-thread: 2048', 'outgoing-range: 4096'],
      ['forward-zone:', '  name: "."', `  forward-addr: 127.0.0.1@${upstreamPort}`],
    ),
};
