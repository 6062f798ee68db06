import type Dockerode from 'dockerode';
import type { Snapshot } from './snapshot.ts';

/** A label of our image and its containers. It identifies the daemon's container, whatever its name. */
export const ROLE_LABEL = 'heddle.role';

/** For attaching, reading other namespaces, port 53, and rules beside those of iptables-legacy; never --privileged. */
export const CAPABILITIES = [
  'NET_ADMIN',
  'SYS_ADMIN',
  'SYS_PTRACE',
  'NET_BROADCAST',
  'NET_BIND_SERVICE',
  'NET_RAW',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/**
 * The engine's socket, the host's processes, and the daemon's folders. A helper finds in them the state that a daemon
 * has left, and the socket of a daemon that runs on the host itself.
 */
export const MOUNTS: readonly string[] = [
  '/var/run/docker.sock:/var/run/docker.sock',
  '/proc:/hostproc:ro',
  '/var/lib/heddle:/var/lib/heddle',
  '/run/heddle:/run/heddle',
];

/** Where MOUNTS puts the host's /proc. */
export const HOST_PROCFS = '/hostproc';

/** Host settings of a container of heddle's image: the host's network, and exactly these capabilities. */
export const hostConfig = (capabilities: readonly Capability[]): Dockerode.HostConfig => ({
  NetworkMode: 'host',
  Binds: [...MOUNTS],
  CapDrop: ['ALL'],
  CapAdd: [...capabilities],
});

/** Environment variables in the engine's format. */
export const environmentList = (env: Readonly<Record<string, string>>): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

/** Whether a container's label marks it as heddle itself: a daemon, or a helper that runs one command. */
export const isHeddleItself = ({
  metadata,
  labelNames,
}: Pick<Snapshot, 'metadata' | 'labelNames'>): boolean =>
  labelNames.has(ROLE_LABEL) && metadata.has(ROLE_LABEL);

/** Describes such a container to people. */
export const roleText = ({ metadata }: Pick<Snapshot, 'metadata'>): string =>
  metadata.get(ROLE_LABEL) === 'helper' ? 'heddle itself, for one command' : 'heddle itself';
