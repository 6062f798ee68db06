import type { Snapshot } from '../../docker/snapshot.ts';
import type { Value } from './syntax.ts';

/** A container with the field names of registrator's templates, as far as heddle has the values. */
export function templateContainer(snapshot: Snapshot): Value {
  const { metadata, labelNames, networks } = snapshot;
  const all = [...metadata];
  return {
    ID: snapshot.id,
    Name: `/${snapshot.name}`,
    Config: {
      Hostname: snapshot.hostname,
      Domainname: snapshot.domainname,
      Image: snapshot.image,
      Env: all.filter(([name]) => !labelNames.has(name)).map(([name, value]) => `${name}=${value}`),
      Labels: new Map(all.filter(([name]) => labelNames.has(name))),
    },
    State: {
      Running: snapshot.running,
      Paused: snapshot.paused,
      Pid: snapshot.pid,
      ExitCode: snapshot.exitCode ?? 0,
      StartedAt: snapshot.startedAt,
      Health: { Status: snapshot.health },
    },
    HostConfig: { NetworkMode: snapshot.networkMode },
    NetworkSettings: {
      IPAddress: networks.find(({ name }) => name === 'bridge' || name === 'podman')?.ipv4 ?? '',
      Networks: new Map(
        networks.map(({ name, ipv4, ipv6 }) => [name, { IPAddress: ipv4, GlobalIPv6Address: ipv6 }]),
      ),
    },
  };
}

const SAMPLE = templateContainer({
  id: '',
  name: '',
  image: '',
  running: true,
  paused: false,
  pid: 0,
  metadata: new Map(),
  labelNames: new Set(),
  stop: { signal: 15, timeout: 10 },
  ports: [],
  networkMode: '',
  networks: [],
  hasNetAdmin: false,
  hostname: '',
  domainname: '',
  aliases: [],
  health: 'none',
  exitCode: null,
  startedAt: '',
});

/** True if every container has this field. Keys of a map differ between containers, so any key is accepted. */
export function hasField(names: readonly string[]): boolean {
  let value = SAMPLE;
  for (const name of names) {
    if (value instanceof Map) return true;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    if (!Object.hasOwn(value, name)) return false;
    value = (value as { readonly [field: string]: Value })[name] as Value;
  }
  return true;
}
