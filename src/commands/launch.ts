import { Command } from 'commander';
import { loadSettings } from '../config/load.ts';
import { SETTINGS, type SettingName, type Settings, variablesOf } from '../config/schema.ts';
import type { DockerClient } from '../docker/client.ts';
import { HeddleError } from '../errors.ts';
import type { Io } from '../io.ts';
import { daemonEnvironment, type LaunchOptions } from '../launch/container.ts';
import { launch, replace, stopDaemon } from '../launch/launch.ts';
import { loadImage } from '../launch/load.ts';
import { VERSION } from '../version.ts';
import { translateRegistrator } from './registrator.ts';
import { addSettings, settingsIn } from './settings.ts';

export interface LaunchNeeds {
  /** The host that is launched on. */
  readonly client: DockerClient;
  /** This host's own engine, for `--load`. */
  readonly own: DockerClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: Io;
}

/** @returns the exit status */
export async function launchWord(
  words: readonly string[],
  settings: Settings,
  needs: LaunchNeeds,
): Promise<number> {
  const ours = words.findIndex((word) => word !== '--replace' && word !== '--load');
  const flags = new Set(ours < 0 ? words : words.slice(0, ours));
  const { argv: args, problem } = translateRegistrator(ours < 0 ? [] : words.slice(ours));
  if (problem !== undefined) throw new HeddleError('bad-input', problem);
  await checkDaemonArguments(args);
  const variables = (Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf);
  const options: LaunchOptions = {
    name: settings.containerName,
    image: settings.image ?? `heddle:${VERSION}`,
    args,
    env: daemonEnvironment(needs.env, variables),
  };
  if (flags.has('--load')) await loadImage(needs.own, needs.client, options.image);
  const id = await (flags.has('--replace') ? replace : launch)(needs.client, options);
  needs.io.stdout.write(`${id}\n`);
  return 0;
}

/** Stopping what does not run is a note, not a failure, as the script had it. @returns the exit status */
export async function stopWord(settings: Settings, { client, io }: LaunchNeeds): Promise<number> {
  const name = settings.containerName;
  if (!(await stopDaemon(client, name))) io.stderr.write(`heddle: no container '${name}' is running\n`);
  return 0;
}

/** What the daemon would refuse is refused before anything is started. */
async function checkDaemonArguments(args: readonly string[]): Promise<void> {
  const daemon = addSettings(new Command('launch').argument('[registry]').exitOverride());
  daemon.parse([...args], { from: 'user' });
  const [registry] = daemon.args;
  await loadSettings({
    flags: { ...settingsIn(daemon.opts()), ...(registry ? { registry } : {}) },
    env: {},
    file: '/dev/null',
  });
}
