import type Dockerode from 'dockerode';
import { SETTINGS, type SettingName, variablesOf } from '../config/schema.ts';
import {
  CAPABILITIES,
  environmentList,
  HOST_PROCFS,
  hostConfig,
  ROLE_LABEL,
} from '../docker/heddle-container.ts';

/** What is for `heddle daemon`; the variables may hold secrets, and are never printed. */
export interface DaemonArguments {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** What the daemon's container is made of, on a host of which only the Docker API is known. */
export interface LaunchOptions extends DaemonArguments {
  readonly name: string;
  readonly image: string;
}

/** Before the arguments of a daemon that takes another's place. */
export const TAKE_OVER = '--take-over';
/** Docker starts it again after a crash and a restart of the host, and nobody but `stop` ends it. */
export const RESTART_POLICY: Dockerode.HostRestartPolicy = { Name: 'unless-stopped' };

/** The container as the engine is asked for it. */
export function daemonContainer({ image, args, env }: LaunchOptions): Dockerode.ContainerCreateOptions {
  return {
    Image: image,
    Cmd: ['daemon', ...args],
    Env: environmentList({ ...env, PROCFS: HOST_PROCFS }),
    Labels: { [ROLE_LABEL]: 'daemon' },
    HostConfig: { ...hostConfig(CAPABILITIES), RestartPolicy: RESTART_POLICY },
  };
}

/** What a daemon's container was given, by whomever: the reverse of `daemonContainer`. */
export function daemonArguments({ Cmd, Env }: Partial<Dockerode.ContainerCreateOptions>): DaemonArguments {
  const [first, ...rest] = Cmd ?? [];
  const args = first === undefined || first === 'daemon' ? rest : [first, ...rest];
  const env = (Env ?? []).map((line) => [line.replace(/=.*$/s, ''), line.replace(/^[^=]*=?/, '')]);
  return {
    args: args.filter((word) => word !== TAKE_OVER),
    env: daemonEnvironment(Object.fromEntries(env)),
  };
}

/** About the caller's own side, or fixed by the container: of no meaning on the host. */
const CALLER_ONLY: ReadonlySet<string> = new Set([
  ...['HEDDLE_SOCKET', 'HEDDLE_CONFIG', 'HEDDLE_STATE_DIR', 'HEDDLE_PROCFS', 'PROCFS'],
  ...['HEDDLE_IMAGE', 'HEDDLE_CONTAINER_NAME'],
]);

/** The settings in an environment that go with the daemon, as the script's went with its container. */
export function daemonEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const variables = (Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf);
  const wanted = variables.filter((name) => !CALLER_ONLY.has(name));
  return Object.fromEntries(wanted.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
