import type { Command } from 'commander';
import { defineManyHosts, refusePassword } from '../commands/compat/many-hosts.ts';
import { type Translation, translateRegistrator } from '../commands/compat/registrator.ts';
import { defineSuperseded } from '../commands/compat/superseded.ts';
import type { CommandArguments, HostCommand } from '../commands/syntax/command.ts';
import { formatOption } from '../commands/syntax/format.ts';
import {
  DAEMON_EXAMPLES,
  examplesText,
  LAUNCH_EXAMPLES,
  LAUNCH_HELP,
  RUN_EXAMPLES,
  RUN_HELP,
  SETUP_EXAMPLES,
} from '../commands/syntax/help-texts.ts';
import {
  addHiddenSettings,
  addSettings,
  leadingSettings,
  settingsIn,
  settingsOfCommand,
} from '../commands/syntax/setting-flags.ts';
import { type TerminalLine, terminalLine } from '../commands/syntax/terminal-line.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import type { DockerClient } from '../docker/client.ts';
import type { EngineAddress } from '../docker/engine-address.ts';
import { HeddleError } from '../errors.ts';
import { daemonEnvironment } from '../launch/daemon-container.ts';
import type { Io, RunCommand } from '../runtime/io.ts';
import { printableIo } from '../runtime/printable.ts';
import { addHostCommands, type End, runOnHost, runProgram, takesDockerArguments } from './program.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The command line. What a word needs is loaded when the word is known: `version` must not wait for Docker's client.
 * @returns the exit status
 */
export async function run(given: readonly string[], io: Io, env: Environment): Promise<number> {
  const own = printableIo(io);
  // Progress moves a terminal's cursor, and is our own text.
  const line = new CommandLine(normalise(given), own, env, terminalLine(io.stderr));
  return await runProgram(line.argv, own, (program, end) => line.define(program, end));
}

/** `heddle <word>`, or the daemon's own line: flags and a registry URI, as registrator was started. */
export function normalise(written: readonly string[]): Translation {
  const given = written.map((word, at) =>
    at < 2 && Object.hasOwn(ONE_DASH, word) ? (ONE_DASH[word] ?? word) : word,
  );
  const asGiven = { argv: given, pointless: [] };
  const first = given[0];
  if (first === undefined) return { ...asGiven, argv: ['--help'] };
  if (first === '-v') return { ...asGiven, argv: ['--version'] };
  if (['--help', '-h', '--version', '-V'].includes(first)) return asGiven;
  const translation = translateRegistrator(given);
  const { argv } = translation;
  const next = argv[leadingSettings(argv)];
  if (next === 'daemon') return translation;
  const isDaemon = next === undefined || next.startsWith('-') || next.includes('://');
  return isDaemon ? { ...translation, argv: ['daemon', ...argv] } : asGiven;
}

/** As registrator and other programs in Go are asked; commander would read them as many flags of a letter each. */
const ONE_DASH: Readonly<Record<string, string>> = { '-help': '--help', '-version': '--version' };

class CommandLine {
  readonly argv: readonly string[];
  readonly #translation: Translation;
  readonly #io: Io;
  readonly #env: Environment;

  readonly #progress: TerminalLine | undefined;

  constructor(translation: Translation, io: Io, env: Environment, progress: TerminalLine | undefined) {
    this.#progress = progress;
    this.argv = translation.argv;
    this.#translation = translation;
    this.#io = io;
    this.#env = env;
  }

  define(program: Command, end: End): void {
    addSettings(program, { hidden: true }).option(
      '--local',
      'do the word in this process, as root, without a daemon',
    );
    program.option('--trace', 'print every call to the Docker API, before the word');
    this.#defineDaemon(program, end);
    this.#defineLaunch(program, end);
    this.#defineRun(program, end);
    addHostCommands(program, this.argv, (word, request) => this.#onHost(program, word, request), end);
    this.#defineSetup(program, end);
    defineManyHosts(program);
    defineSuperseded(program, this.#io);
    const version = addHiddenSettings(program.command('version'), this.argv)
      .summary("print the version, and the daemon's")
      .addOption(formatOption());
    version.action(async () => {
      const { version: print } = await import('../commands/inspect/version.ts');
      // It is asked for where something is wrong, perhaps with the settings.
      const settings = await this.#settings(program, version).catch(() => undefined);
      end(await print(version.opts(), { settings, remote: await this.#otherHost(), io: this.#io }));
    });
  }

  #defineDaemon(program: Command, end: End): void {
    const command = program
      .command('daemon')
      .summary('follow Docker, keep the registry true, answer DNS')
      .description('Follows Docker, keeps the registry true and answers DNS, until it is told to stop.')
      .argument('[registry]', 'the same as --registry; also where registrator took it')
      .addHelpText('after', examplesText(DAEMON_EXAMPLES));
    addSettings(command).action(async (registry: string | undefined) => {
      const { pointless, problem } = this.#translation;
      if (problem !== undefined) throw new HeddleError('bad-input', problem);
      const { daemon } = await import('../commands/daemon/daemon.ts');
      const settings = await this.#settings(program, command, registry === undefined ? {} : { registry });
      end(await daemon(settings, this.#io, this.#env, { runOnHost, notices: pointless }));
    });
  }

  #defineLaunch(program: Command, end: End): void {
    const words = () => this.argv.slice(leadingSettings(this.argv) + 1);
    const needs = async () => {
      const { defaultAddress, formatAddress, engineAddress } = await import('../docker/engine-address.ts');
      const { DockerClient } = await import('../docker/client.ts');
      const { DOCKER_HOST: elsewhere, ...here } = this.#env;
      const host = elsewhere ? engineAddress(here) : defaultAddress();
      const trace = this.#trace(program);
      // Two engines are asked, and one of them is told from the other.
      const own = new DockerClient(host, trace && ((line) => trace(`${line} # ${formatAddress(host)}`)));
      return {
        client: await this.#docker(program),
        own,
        env: this.#env,
        io: this.#io,
        progress: this.#progress,
      };
    };
    const launch = program
      .command('launch')
      .summary('start the daemon as a container')
      .description('Starts the daemon as a container on the host that DOCKER_HOST names, by its API alone.')
      .usage('[--replace] [--load] [daemon arguments...]')
      .argument('[daemon arguments...]')
      .addHelpText('after', `${LAUNCH_HELP}\n${examplesText(LAUNCH_EXAMPLES)}`)
      .allowUnknownOption()
      .passThroughOptions();
    launch.action(async () => {
      refusePassword(this.#env);
      const { launchCommand } = await import('../commands/daemon/launch.ts');
      end(await launchCommand(words(), await this.#settings(program, launch), await needs()));
    });
    const stop = addHiddenSettings(program.command('stop'), this.argv).summary("stop the daemon's container");
    stop.addOption(formatOption());
    stop.action(async () => {
      const { stopCommand } = await import('../commands/daemon/launch.ts');
      end(await stopCommand(await this.#settings(program, stop), stop.opts(), await needs()));
    });
  }

  #defineRun(program: Command, end: End): void {
    const command = program
      .command('run')
      .summary('docker run -d, attached to the network')
      .description('Runs a container in the background by the docker client and attaches it to the network.')
      .usage(
        '[--with-dns] [--rewrite-hosts] [--no-multicast-route] [--allow-overlap] [address]... <docker run arguments>',
      )
      .argument('[docker run arguments...]')
      .addHelpText('after', `${RUN_HELP}\n${examplesText(RUN_EXAMPLES)}`);
    takesDockerArguments(command).action(async () => {
      refusePassword(this.#env);
      const { parseRun } = await import('../run/command.ts');
      const { runAttached } = await import('../run/attached.ts');
      const parsed = parseRun(this.argv.slice(leadingSettings(this.argv) + 1));
      const settings = await this.#settings(program, command);
      const docker = await this.#docker(program);
      const reach = await this.#reach(settings, docker, program.opts().local === true);
      const trace = this.#trace(program);
      end(await runAttached(parsed, { onHost: reach, io: this.#io, env: this.#env, trace }));
    });
  }

  #defineSetup(program: Command, end: End): void {
    const command = program
      .command('setup')
      .summary('say what is there of what heddle needs, or make this host ask heddle for names')
      .option('--host-dns', "make this host's own resolver ask heddle for the names that heddle knows")
      .option('--undo', 'with --host-dns: put everything back')
      .option('--dry-run', 'with --host-dns: only show what would be changed')
      .addOption(formatOption())
      .addHelpText('after', examplesText(SETUP_EXAMPLES));
    addHiddenSettings(command, this.argv).action(async () => {
      const { hostDns, undo = false, dryRun = false, format } = command.opts();
      const settings = await this.#settings(program, command);
      const docker = await this.#docker(program);
      if (hostDns) {
        const word = await import('../commands/daemon/setup-host-dns.ts');
        end(await word.hostDns(settings, docker, this.#io, { undo, dryRun, format }));
        return;
      }
      if (undo || dryRun) {
        throw new HeddleError(
          'bad-input',
          '--undo and --dry-run say how --host-dns is meant; give it as well',
        );
      }
      const { setup } = await import('../commands/daemon/setup.ts');
      end(await setup(settings, command.opts(), docker, this.#io));
    });
  }

  async #onHost(program: Command, word: HostCommand, request: CommandArguments): Promise<number> {
    if (word.connects) refusePassword(this.#env);
    const command = program.commands.find((candidate) => candidate.name() === word.name);
    const settings = await this.#settings(program, command);
    const docker = await this.#docker(program);
    const isOwn = docker.address.startsWith('unix:');
    const isLocal = program.opts().local === true || request.options.local === true;
    const inProcess = isLocal || (isOwn && word.needsNoDocker === true);
    const reach = await this.#reach(settings, docker, inProcess).catch((error: unknown) => {
      if (inProcess || !word.worksAlone || !(error instanceof HeddleError)) throw error;
      this.#io.stderr.write(`heddle: no daemon takes part: ${error.message}\n`);
      return this.#onlooker(settings, docker);
    });
    const [name = '', ...args] = this.argv.slice(leadingSettings(this.argv));
    return await reach([name, ...(word.sent?.(args) ?? args)], this.#io);
  }

  /** The engine that DOCKER_HOST names; with --trace it says what it is asked, as `sh -x` does. */
  async #docker(program: Command): Promise<DockerClient> {
    const { engineAddress } = await import('../docker/engine-address.ts');
    const { DockerClient } = await import('../docker/client.ts');
    return new DockerClient(engineAddress(this.#env), this.#trace(program));
  }

  /** The engine that DOCKER_HOST or the docker client's context names, where it is on another host. */
  async #otherHost(): Promise<EngineAddress | undefined> {
    const { engineAddress } = await import('../docker/engine-address.ts');
    try {
      const host = engineAddress(this.#env);
      return host.kind === 'unix' ? undefined : host;
    } catch {
      return undefined;
    }
  }

  #trace(program: Command): ((line: string) => void) | undefined {
    return program.opts().trace === true ? (line) => void this.#io.stderr.write(`+ ${line}\n`) : undefined;
  }

  /** Where the host's words run. */
  async #reach(settings: LoadedSettings, docker: DockerClient, inProcess: boolean): Promise<RunCommand> {
    if (!inProcess) {
      const { reachHost } = await import('../control/reach.ts');
      const caller = { flags: settingsOfCommand(this.argv), env: daemonEnvironment(this.#env) };
      return await reachHost(settings, docker, caller);
    }
    const { localHost } = await import('../operations/local-host.ts');
    const host = await localHost(settings, docker);
    return (argv, io) => runOnHost(argv, host, io);
  }

  /** This very process, which sees what can be seen from here. */
  async #onlooker(settings: LoadedSettings, docker: DockerClient): Promise<RunCommand> {
    const { observerOnly } = await import('../operations/local-host.ts');
    const host = await observerOnly(settings, docker);
    return (argv, io) => runOnHost(argv, host, io);
  }

  async #settings(
    program: Command,
    command: Command | undefined,
    more: object = {},
  ): Promise<LoadedSettings> {
    const options = { ...program.opts(), ...command?.opts() };
    const flags = { ...settingsIn(program.opts()), ...settingsIn(command?.opts() ?? {}), ...more };
    const { settings } = await loadSettings({
      flags,
      env: this.#env,
      file: options.config as string | undefined,
    });
    return settings;
  }
}
