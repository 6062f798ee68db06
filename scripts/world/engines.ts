import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { which } from '../setup/command.mjs';
import { findCurrentDocker, findPodman } from '../setup/engines.mjs';
import { preparePodman } from './podman.ts';

/** The engine of a world, and its kernel and firewall settings. */
export interface WorldEngine {
  /** `old`: the system's own Docker. `new`: a current one. `podman`: its Docker-compatible API. */
  readonly program: 'old' | 'new' | 'podman';
  /** Docker 29's new defaults: a higher minimum API version, and containerd's image store. */
  readonly defaultsOf29?: boolean;
  /** Control groups in one hierarchy instead of one for each controller. podman worlds always use it. */
  readonly cgroup2?: boolean;
  /** Every `iptables` of the world keeps its rules in the kernel's old tables. */
  readonly iptablesLegacy?: boolean;
}

export const OLD: WorldEngine = { program: 'old' };

/** For a person: `new engine, 29's defaults, cgroup v2`. */
export function engineText(engine: WorldEngine): string {
  const { program, defaultsOf29, cgroup2, iptablesLegacy } = engine;
  return [
    program === 'podman' ? 'podman' : `${program} engine`,
    ...(defaultsOf29 ? ["29's defaults"] : []),
    ...(cgroup2 ? ['cgroup v2'] : []),
    ...(iptablesLegacy ? ['iptables-legacy'] : []),
  ].join(', ');
}

/** engine.ts reads this variable inside the world. */
export const ENGINE_VARIABLE = 'HEDDLE_WORLD_ENGINE';

/**
 * Writes the engine's programs and settings into the world's folder, and returns the variables that make the world use
 * them. The folder `bin` comes first on PATH.
 * @throws Error if the set-up has not fetched the engine
 */
export function prepareEngine(folder: string, engine: WorldEngine): Record<string, string> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  if (engine.program === 'new') linkCurrentDocker(bin, engine.defaultsOf29 ?? false);
  if (engine.iptablesLegacy) linkLegacyIptables(bin);
  if (engine.program === 'podman') preparePodman(folder, bin, fetched(findPodman()));
  return {
    ...(usesCgroup2(engine) && { HEDDLE_WORLD_CGROUP2: '1' }),
    DOCKER_CONFIG: writeClientSettings(folder),
    [ENGINE_VARIABLE]: engine.program,
  };
}

export const usesCgroup2 = ({ program, cgroup2 }: WorldEngine): boolean =>
  program === 'podman' || (cgroup2 ?? false);

function fetched(folder: string | undefined): string {
  if (folder !== undefined) return folder;
  throw new Error('this engine is not installed: `node scripts/setup.mjs test` fetches it');
}

function linkCurrentDocker(bin: string, defaultsOf29: boolean): void {
  const docker = fetched(findCurrentDocker());
  const programs = ['bin/docker', 'sbin/docker-proxy', 'bin/containerd', 'bin/containerd-shim-runc-v2'];
  for (const path of programs)
    symlinkSync(join(docker, 'usr', path), join(bin, path.split('/')[1] as string));
  const tini = join(docker, 'usr/bin/tini-static');
  if (existsSync(tini)) symlinkSync(tini, join(bin, 'docker-init'));
  const dockerd = join(docker, 'usr/sbin/dockerd');
  if (!defaultsOf29) {
    symlinkSync(dockerd, join(bin, 'dockerd'));
    return;
  }
  const script = `#!/bin/sh
export DOCKER_MIN_API_VERSION=1.44
exec ${dockerd} --feature containerd-snapshotter=true "$@"
`;
  writeFileSync(join(bin, 'dockerd'), script, { mode: 0o755 });
}

function linkLegacyIptables(bin: string): void {
  for (const family of ['iptables', 'ip6tables']) {
    for (const suffix of ['', '-save', '-restore']) {
      const legacy = which(`${family}-legacy${suffix}`);
      if (legacy === undefined) throw new Error(`there is no ${family}-legacy${suffix} on this machine`);
      symlinkSync(legacy, join(bin, `${family}${suffix}`));
    }
  }
}

/** The docker client's folder: with compose and buildx if they were fetched, and without the caller's own settings. */
function writeClientSettings(folder: string): string {
  const config = join(folder, 'docker-client');
  mkdirSync(config);
  const docker = findCurrentDocker();
  const plugins = docker === undefined ? [] : [join(docker, 'usr/libexec/docker/cli-plugins')];
  writeFileSync(join(config, 'config.json'), JSON.stringify({ cliPluginsExtraDirs: plugins }));
  return config;
}
