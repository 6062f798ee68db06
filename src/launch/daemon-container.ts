import type Dockerode from 'dockerode';
import { SETTINGS, type SettingName, variablesOf } from '../config/schema.ts';
import {
  CAPABILITIES,
  environmentList,
  HOST_PROCFS,
  hostConfig,
  ROLE_LABEL,
} from '../docker/heddle-container.ts';

/** Arguments and variables of `heddle daemon`. The variables may hold secrets, and are never printed. */
export interface DaemonArguments {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The definition of the daemon's container, on a host that is reached only by the Docker API. */
export interface LaunchOptions extends DaemonArguments {
  readonly name: string;
  readonly image: string;
}

/** Stands before the arguments of a daemon that takes the place of another one. */
export const TAKE_OVER = '--take-over';
/** Docker restarts the daemon after a crash and after a restart of the host. Only `stop` ends it. */
export const RESTART_POLICY: Dockerode.HostRestartPolicy = { Name: 'unless-stopped' };

/** What Docker's API needs to create the container. */
export function daemonContainer({ image, args, env }: LaunchOptions): Dockerode.ContainerCreateOptions {
  return {
    Image: image,
    Cmd: ['daemon', ...args],
    Env: environmentList({ ...env, PROCFS: HOST_PROCFS }),
    Labels: { [ROLE_LABEL]: 'daemon' },
    HostConfig: { ...hostConfig(CAPABILITIES), RestartPolicy: RESTART_POLICY },
  };
}

/** Reads arguments and variables from a daemon's container, which need not be made by `daemonContainer`. */
export function daemonArguments({ Cmd, Env }: Partial<Dockerode.ContainerCreateOptions>): DaemonArguments {
  const [first, ...rest] = Cmd ?? [];
  const args = first === undefined || first === 'daemon' ? rest : [first, ...rest];
  const env = (Env ?? []).map((line) => [line.replace(/=.*$/s, ''), line.replace(/^[^=]*=?/, '')]);
  return {
    args: args.filter((argument) => argument !== TAKE_OVER),
    env: daemonEnvironment(Object.fromEntries(env)),
  };
}

/** Variables about the caller's side, or fixed by the container. They have no meaning for the daemon. */
const CALLER_ONLY: ReadonlySet<string> = new Set([
  ...['HEDDLE_SOCKET', 'HEDDLE_CONFIG', 'HEDDLE_STATE_DIR', 'HEDDLE_PROCFS', 'PROCFS'],
  ...['HEDDLE_IMAGE', 'HEDDLE_CONTAINER_NAME'],
]);

/** The variables of an environment that apply to the daemon; the `weave` script passed its own in the same way. */
export function daemonEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const variables = (Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf);
  const passedOn = variables.filter((name) => !CALLER_ONLY.has(name));
  return Object.fromEntries(passedOn.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}
