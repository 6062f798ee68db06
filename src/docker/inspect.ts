import { constants } from 'node:os';
import type { ContainerInspectInfo } from 'dockerode';
import { isContainerId } from './container-name.ts';
import { LEFT_OUT_KEY } from './inspection-filter.ts';
import { ALL_METADATA, type KeptMetadata, MetadataBudget } from './kept-metadata.ts';
import type {
  ContainerNetwork,
  ContainerPort,
  Health,
  Protocol,
  PublishedPort,
  Snapshot,
} from './snapshot.ts';

/**
 * Converts Docker's inspect JSON to a Snapshot. Any field may be missing: old engine versions and other engines omit
 * fields.
 */
export function snapshotOf(inspect: ContainerInspectInfo, kept: KeptMetadata = ALL_METADATA): Snapshot {
  const { State: state, Config: config } = inspect;
  if (!isContainerId(inspect.Id)) throw new Error('a container without an id');
  const budget = new MetadataBudget(kept);
  const metadata = metadataOf(config?.Env ?? [], config?.Labels ?? {}, budget);
  const leftOut = budget.leftOut + leftOutOf(inspect);
  const alive = Boolean(state?.Running) && !state.Restarting && !state.Dead;
  return {
    id: inspect.Id,
    name: (inspect.Name ?? '').replace(/^\//, ''),
    image: config?.Image ?? inspect.Image ?? '',
    running: alive && !state.Paused,
    paused: Boolean(state?.Paused),
    pid: alive && Number.isInteger(state.Pid) ? Math.max(0, state.Pid) : 0,
    ...metadata,
    ...(leftOut > 0 && { leftOut }),
    stop: stopOf((config ?? {}) as StopConfig),
    ports: portsOf(config?.ExposedPorts ?? {}, inspect.NetworkSettings?.Ports ?? {}),
    networkMode: inspect.HostConfig?.NetworkMode ?? 'default',
    networks: networksOf(inspect.NetworkSettings?.Networks ?? {}),
    hasNetAdmin: hasNetAdmin((inspect.HostConfig ?? {}) as Rights),
    hostname: config?.Hostname ?? '',
    domainname: config?.Domainname ?? '',
    aliases: aliasesOf(inspect.NetworkSettings?.Networks ?? {}),
    health: healthOf(state?.Health?.Status),
    exitCode: alive ? null : (state?.ExitCode ?? null),
    startedAt: state?.StartedAt ?? '',
  };
}

/** How many entries the filter of large answers has dropped. */
function leftOutOf(inspect: object): number {
  const count = (inspect as Readonly<Record<string, unknown>>)[LEFT_OUT_KEY];
  return typeof count === 'number' && count > 0 ? count : 0;
}

const DEFAULT_STOP_SECONDS = 10;

function stopOf({ StopSignal: signal, StopTimeout: timeout }: StopConfig): Snapshot['stop'] {
  return {
    signal: signalNumber(signal ?? '') ?? constants.signals.SIGTERM,
    timeout: typeof timeout === 'number' && timeout >= 0 ? timeout : DEFAULT_STOP_SECONDS,
  };
}

interface StopConfig {
  readonly StopSignal?: string;
  readonly StopTimeout?: number | null;
}

/** Parses Docker's forms of a signal: `SIGQUIT`, `quit`, `3`, `RTMIN+3`. */
function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, '');
  const [, base, offset] = /^RT(MIN|MAX)(?:([+-]\d+))?$/.exec(name) ?? [];
  // signal(7): glibc and Docker count real-time signals from 34 to 64.
  if (base !== undefined) return (base === 'MIN' ? 34 : 64) + Number(offset ?? 0);
  return constants.signals[`SIG${name}` as NodeJS.Signals];
}

/** A label overrides a variable of the same name, as in registrator. */
function metadataOf(
  env: readonly string[],
  labels: Readonly<Record<string, string>>,
  budget: MetadataBudget,
): Pick<Snapshot, 'metadata' | 'labelNames'> {
  const metadata = new Map<string, string>();
  const labelNames = new Set<string>();
  for (const variable of env) {
    const equals = variable.indexOf('=');
    const name = variable.slice(0, equals);
    if (equals > 0 && budget.take(name, variable.length)) metadata.set(name, variable.slice(equals + 1));
  }
  for (const [name, given] of Object.entries(labels)) {
    const value = String(given);
    if (!budget.take(name, name.length + value.length)) continue;
    metadata.set(name, value);
    labelNames.add(name);
  }
  return { metadata, labelNames };
}

interface Rights {
  readonly Privileged?: boolean;
  readonly CapAdd?: readonly string[] | null;
}

function hasNetAdmin({ Privileged: isPrivileged, CapAdd: added }: Rights): boolean {
  const names = (added ?? []).map((name) => String(name).toUpperCase().replace(/^CAP_/, ''));
  return isPrivileged === true || names.includes('NET_ADMIN') || names.includes('ALL');
}

type Bindings = Readonly<Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>>;

function portsOf(exposed: Readonly<Record<string, unknown>>, bindings: Bindings): readonly ContainerPort[] {
  const ports = new Map<string, ContainerPort>();
  for (const key of new Set([...Object.keys(exposed), ...Object.keys(bindings)])) {
    const match = /^(\d{1,5})\/(tcp|udp|sctp)$/.exec(key);
    if (!match) continue;
    ports.set(key, {
      port: Number(match[1]),
      protocol: match[2] as Protocol,
      published: (bindings[key] ?? []).map(publishedPort).filter((published) => published.hostPort > 0),
    });
  }
  return [...ports.values()].sort((a, b) => a.port - b.port || a.protocol.localeCompare(b.protocol));
}

const publishedPort = (binding: { HostIp?: string; HostPort?: string }): PublishedPort => ({
  hostIp: binding.HostIp || '0.0.0.0',
  hostPort: Number(binding.HostPort) || 0,
});

type Endpoints = ContainerInspectInfo['NetworkSettings']['Networks'];

const networksOf = (endpoints: Endpoints): readonly ContainerNetwork[] =>
  Object.entries(endpoints)
    .map(([name, endpoint]) => ({
      name,
      ipv4: endpoint?.IPAddress ?? '',
      ipv6: endpoint?.GlobalIPv6Address ?? '',
    }))
    .sort((a, b) => a.name.localeCompare(b.name));

const aliasesOf = (endpoints: Endpoints): readonly string[] => [
  ...new Set(Object.values(endpoints).flatMap((endpoint): string[] => endpoint?.Aliases ?? [])),
];

const healthOf = (status: string | undefined): Health =>
  status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
