import { loadSettings } from '../../config/load.ts';
import type { Settings } from '../../config/schema.ts';
import { daemonAt } from '../../control/client.ts';
import type { EngineAnswer } from '../../control/protocol.ts';
import type { DockerClient } from '../../docker/client.ts';
import { DockerEngine } from '../../docker/engine.ts';
import { HeddleError } from '../../errors.ts';
import { daemonEnvironment, type LaunchOptions } from '../../launch/daemon-container.ts';
import { launch, stopDaemon } from '../../launch/launch.ts';
import { imagesFrom, loadingText, requireImage } from '../../launch/load.ts';
import { replace } from '../../launch/replace.ts';
import type { Io } from '../../runtime/io.ts';
import { VERSION } from '../../version.ts';
import { refuseManyHosts, refusePeerFlags } from '../compat/many-hosts.ts';
import { translateRegistrator } from '../compat/registrator.ts';
import { commanderOutput, printResult } from '../syntax/format.ts';
import { HintingCommand } from '../syntax/hinting-command.ts';
import { addSettings, settingsIn } from '../syntax/setting-flags.ts';
import type { TerminalLine } from '../syntax/terminal-line.ts';

export interface LaunchNeeds {
  /** The engine that runs the daemon. */
  readonly client: DockerClient;
  /** This host's own engine, for `--load`. */
  readonly own: DockerClient;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: Io;
  /** Undefined without a terminal. */
  readonly progress?: TerminalLine | undefined;
}

/** Flags of `launch` itself, at any place. The daemon gets all others. */
const OWN_FLAGS: readonly string[] = ['--replace', '--load', '--format=json', '--format=text'];

/** @returns the exit status */
export async function launchCommand(
  launchArgs: readonly string[],
  settings: Settings,
  needs: LaunchNeeds,
): Promise<number> {
  const { flags, args } = await launchArguments(launchArgs, needs.io);
  const options: LaunchOptions = {
    name: settings.containerName,
    image: settings.image ?? `heddle:${VERSION}`,
    args,
    env: daemonEnvironment(needs.env),
  };
  const line = needs.progress;
  const image = flags.has('--load')
    ? imagesFrom(needs.own, line && ((bytes) => line.show(loadingText(options.image, bytes))))
    : requireImage;
  const start = flags.has('--replace') ? replace : launch;
  const id = await start(needs.client, options, image).finally(() => line?.clear());
  printResult(needs.io, { format: flags.has('--format=json') ? 'json' : 'text' }, `${id}\n`, {
    container: id,
  });
  return 0;
}

/**
 * Separates the arguments behind `launch` into its own flags and those of the daemon.
 * @throws HeddleError `not-supported` for other hosts, `bad-input` for what the daemon would refuse; both before
 * anything is contacted or started
 */
export async function launchArguments(
  launchArgs: readonly string[],
  io: Io,
): Promise<{ readonly flags: ReadonlySet<string>; readonly args: readonly string[] }> {
  refusePeerFlags(launchArgs);
  const flags = new Set<string>();
  const rest: string[] = [];
  for (let at = 0; at < launchArgs.length; ) {
    const taken = launchArgs[at] === '--format' ? 2 : 1;
    const given = launchArgs.slice(at, at + taken);
    const flag = given.join('=');
    if (OWN_FLAGS.includes(flag)) flags.add(flag);
    else rest.push(...given);
    at += taken;
  }
  const { argv: args, problem } = translateRegistrator(rest);
  if (problem !== undefined) throw new HeddleError('bad-input', problem);
  await checkDaemonArguments(args, io);
  return { flags, args };
}

/**
 * A daemon that does not run is a note, not a failure, as in the script. It is a failure if a daemon that is not in
 * our container serves this engine: that daemon continues.
 * @returns the exit status
 */
export async function stopCommand(
  settings: Settings,
  options: { readonly format?: unknown },
  { client, io }: LaunchNeeds,
): Promise<number> {
  const name = settings.containerName;
  const stopped = await stopDaemon(client, name);
  if (!stopped) io.stderr.write(`heddle: no container '${name}' is running\n`);
  const other = stopped ? undefined : await otherDaemon(settings.socket, client);
  if (other) {
    const pid = other.pid !== undefined && other.pid > 1 ? `, process ${other.pid},` : '';
    const where = 'was not started by launch; stop it where it was started';
    io.stderr.write(`heddle: the daemon behind ${settings.socket}${pid} continues: it ${where}\n`);
  }
  printResult(io, options, '', { container: name, stopped });
  return other ? 1 : 0;
}

/** The daemon that answers on the socket here, if it serves the same engine. */
async function otherDaemon(socket: string, client: DockerClient): Promise<EngineAnswer | undefined> {
  const daemon = await daemonAt(socket).catch(() => undefined);
  if (daemon?.address === client.address) return daemon;
  return daemon && daemon.engine === (await new DockerEngine(client).info()).id ? daemon : undefined;
}

/** Refuses, before anything is started, what the daemon would refuse. */
async function checkDaemonArguments(args: readonly string[], io: Io): Promise<void> {
  const own = OWN_FLAGS.map((flag) => flag.replace(/=.*$/, ''));
  const daemon = addSettings(new HintingCommand('launch', own).argument('[registry...]').exitOverride());
  daemon.configureOutput(commanderOutput(io)).parse([...args], { from: 'user' });
  const [registry, ...more] = daemon.args;
  // To the script, a bare host name or address is a peer. A registry is a URI.
  const peer = [registry, ...more].find((arg) => arg && arg !== 'embedded' && !arg.includes('://'));
  if (peer !== undefined) refuseManyHosts(`launch ${peer}`);
  if (more.length > 0)
    throw new HeddleError('bad-input', `expected one registry, got ${daemon.args.join(' ')}`);
  await loadSettings({
    flags: { ...settingsIn(daemon.opts()), ...(registry ? { registry } : {}) },
    env: {},
    file: '/dev/null',
  });
}
