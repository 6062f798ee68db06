import type Dockerode from 'dockerode';
import type { Snapshot } from './snapshot.ts';

/** A label of our image, and of what is made from it: `daemon` is known again by it, whatever it is called. */
export const ROLE_LABEL = 'heddle.role';

/** Attaching, reading other namespaces, port 53, and rules beside those of iptables-legacy; never --privileged. */
export const CAPABILITIES = [
  'NET_ADMIN',
  'SYS_ADMIN',
  'SYS_PTRACE',
  'NET_BROADCAST',
  'NET_BIND_SERVICE',
  'NET_RAW',
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** The engine's socket, the host's processes, and the daemon's own folders: its state, and its socket. */
export const MOUNTS: readonly string[] = [
  '/var/run/docker.sock:/var/run/docker.sock',
  '/proc:/hostproc:ro',
  '/var/lib/heddle:/var/lib/heddle',
  '/run/heddle:/run/heddle',
];

/** Where MOUNTS puts the host's /proc. */
export const HOST_PROCFS = '/hostproc';

/** How a container of heddle's image stands on its host: in the host's network, with exactly these capabilities. */
export const hostConfig = (capabilities: readonly Capability[]): Dockerode.HostConfig => ({
  NetworkMode: 'host',
  Binds: [...MOUNTS],
  CapDrop: ['ALL'],
  CapAdd: [...capabilities],
});

/** Environment variables as the engine takes them. */
export const environmentList = (env: Readonly<Record<string, string>>): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

/** Whether a container says that it is heddle itself: a daemon, or a helper that runs one command. */
export const isHeddleItself = ({
  metadata,
  labelNames,
}: Pick<Snapshot, 'metadata' | 'labelNames'>): boolean =>
  labelNames.has(ROLE_LABEL) && metadata.has(ROLE_LABEL);

/** What such a container is, for people. */
export const ownText = ({ metadata }: Pick<Snapshot, 'metadata'>): string =>
  metadata.get(ROLE_LABEL) === 'helper' ? 'heddle itself, for one command' : 'heddle itself';
