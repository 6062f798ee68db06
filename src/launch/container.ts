import type Dockerode from 'dockerode';

/** What the daemon's container is made of, on a host of which only the Docker API is known. */
export interface LaunchOptions {
  readonly name: string;
  readonly image: string;
  /** For `heddle daemon`. */
  readonly args: readonly string[];
  /** Settings from the caller's environment that are meant for the daemon. */
  readonly env: Readonly<Record<string, string>>;
}

/** Attaching, reading other namespaces and port 53; never --privileged. */
export const CAPABILITIES = [
  'NET_ADMIN',
  'SYS_ADMIN',
  'SYS_PTRACE',
  'NET_BROADCAST',
  'NET_BIND_SERVICE',
] as const;
/** By this label the container is known again, whatever it is called. */
export const ROLE_LABEL = 'heddle.role';

/** The container as the engine is asked for it: restarted by Docker, stopped by nobody but `stop`. */
export function daemonContainer({ image, args, env }: LaunchOptions): Dockerode.ContainerCreateOptions {
  return {
    Image: image,
    Cmd: ['daemon', ...args],
    Env: Object.entries({ ...env, PROCFS: '/hostproc' }).map(([variable, value]) => `${variable}=${value}`),
    Labels: { [ROLE_LABEL]: 'daemon' },
    HostConfig: {
      NetworkMode: 'host',
      Binds: [
        '/var/run/docker.sock:/var/run/docker.sock',
        '/proc:/hostproc:ro',
        '/var/lib/heddle:/var/lib/heddle',
        '/run/heddle:/run/heddle',
      ],
      CapDrop: ['ALL'],
      CapAdd: [...CAPABILITIES],
      RestartPolicy: { Name: 'unless-stopped' },
    },
  };
}

/** About the caller's own side, or fixed by the container: of no meaning on the host. */
const NOT_FOR_THE_DAEMON = new Set([
  ...[
    'HEDDLE_SOCKET',
    'HEDDLE_CONFIG',
    'HEDDLE_STATE_DIR',
    'HEDDLE_PROCFS',
    'HEDDLE_IMAGE',
    'HEDDLE_CONTAINER_NAME',
  ],
]);

/** The settings in the caller's environment that go with the daemon, as the script's went with its container. */
export function daemonEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  variables: readonly string[],
): Record<string, string> {
  const wanted = variables.filter((name) => !NOT_FOR_THE_DAEMON.has(name) && name !== 'PROCFS');
  return Object.fromEntries(wanted.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
