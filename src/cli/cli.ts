import type { Command } from 'commander';
import { defineManyHosts, refusePassword } from '../commands/compat/many-hosts.ts';
import type { Translation } from '../commands/compat/registrator.ts';
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
  settingsForHost,
  settingsIn,
} from '../commands/syntax/setting-flags.ts';
import { type TerminalLine, terminalLine } from '../commands/syntax/terminal-line.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import type { DockerClient } from '../docker/client.ts';
import { HeddleError } from '../errors.ts';
import { daemonEnvironment } from '../launch/daemon-container.ts';
import type { Io, RunCommand } from '../runtime/io.ts';
import { printableIo } from '../runtime/printable.ts';
import { namedEngine, otherHost, ownEngine } from './engines.ts';
import { normalise } from './normalise.ts';
import { addHostCommands, runOnHost, runProgram, type SetStatus, takesDockerArguments } from './program.ts';
import { runnerAt, type WhereTraits, whereToRun } from './where.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Runs a command line. What a command needs is loaded when the command is known: `version` must not wait for Docker's
 * client.
 * @returns the exit status
 */
export async function run(given: readonly string[], io: Io, env: Environment): Promise<number> {
  const own = printableIo(io);
  // Progress moves the cursor of a terminal, so it bypasses the printable Io. It is our own text.
  const line = new CommandLine(normalise(given), own, env, terminalLine(io.stderr));
  return await runProgram(line.argv, own, (program, end) => line.define(program, end));
}

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

  define(program: Command, end: SetStatus): void {
    addSettings(program, { hidden: true }).option(
      '--local',
      'run the command in this process, as root, without a daemon',
    );
    program.option('--trace', 'print every request to the Docker API; give it before the command');
    this.#defineDaemon(program, end);
    this.#defineLaunch(program, end);
    this.#defineRun(program, end);
    addHostCommands(
      program,
      this.argv,
      (command, request) => this.#runForHost(program, command, request),
      end,
    );
    this.#defineSetup(program, end);
    defineManyHosts(program);
    defineSuperseded(program, this.#io);
    const version = addHiddenSettings(program.command('version'), this.argv)
      .summary("print the version, and the daemon's")
      .addOption(formatOption());
    version.action(async () => {
      const { version: print } = await import('../commands/inspect/version.ts');
      // People ask for the version when something is wrong, perhaps with the settings.
      const settings = await this.#settings(program, version).catch(() => undefined);
      end(await print(version.opts(), { settings, remote: await otherHost(this.#env), io: this.#io }));
    });
  }

  #defineDaemon(program: Command, end: SetStatus): void {
    const command = program
      .command('daemon')
      .summary('follow Docker, keep the registry up to date, answer DNS')
      .description('Follows Docker, keeps the registry up to date and answers DNS, until it is stopped.')
      .argument('[registry]', 'the same as --registry, in the place where registrator takes it')
      .addHelpText('after', examplesText(DAEMON_EXAMPLES));
    addSettings(command).action(async (registry: string | undefined) => {
      const { ignoredFlags, problem } = this.#translation;
      if (problem !== undefined) throw new HeddleError('bad-input', problem);
      const { daemon } = await import('../commands/daemon/daemon.ts');
      const settings = await this.#settings(program, command, registry === undefined ? {} : { registry });
      end(await daemon(settings, this.#io, this.#env, { runOnHost, notices: ignoredFlags }));
    });
  }

  #defineLaunch(program: Command, end: SetStatus): void {
    const launchArgs = () => this.argv.slice(leadingSettings(this.argv) + 1);
    const needs = async () => ({
      client: await this.#docker(program),
      own: await ownEngine(this.#env, this.#trace(program)),
      env: this.#env,
      io: this.#io,
      progress: this.#progress,
    });
    const launch = program
      .command('launch')
      .summary('start the daemon as a container')
      .description(
        'Starts the daemon as a container on the host that DOCKER_HOST names, using only the Docker API.',
      )
      .usage('[--replace] [--load] [daemon arguments...]')
      .argument('[daemon arguments...]')
      .addHelpText('after', `${LAUNCH_HELP}\n${examplesText(LAUNCH_EXAMPLES)}`)
      .allowUnknownOption()
      .passThroughOptions();
    launch.action(async () => {
      refusePassword(this.#env);
      const { launchCommand } = await import('../commands/daemon/launch.ts');
      end(await launchCommand(launchArgs(), await this.#settings(program, launch), await needs()));
    });
    const stop = addHiddenSettings(program.command('stop'), this.argv).summary("stop the daemon's container");
    stop.addOption(formatOption());
    stop.action(async () => {
      const { stopCommand } = await import('../commands/daemon/launch.ts');
      end(await stopCommand(await this.#settings(program, stop), stop.opts(), await needs()));
    });
  }

  #defineRun(program: Command, end: SetStatus): void {
    const command = program
      .command('run')
      .summary('docker run -d, attached to the network')
      .description(
        'Runs a container in the background with the docker client, and attaches it to the network.',
      )
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
      const onHost = await this.#runner(settings, docker, {}, program.opts().local === true);
      const trace = this.#trace(program);
      end(await runAttached(parsed, { onHost, io: this.#io, env: this.#env, trace }));
    });
  }

  #defineSetup(program: Command, end: SetStatus): void {
    const command = program
      .command('setup')
      .summary('show the engine, image and container of heddle, or make this host ask heddle for names')
      .option('--host-dns', 'make the resolver of this host ask heddle for the names that heddle knows')
      .option('--undo', 'with --host-dns: restore the resolver of this host')
      .option('--dry-run', 'with --host-dns: only show what would change')
      .addOption(formatOption())
      .addHelpText('after', examplesText(SETUP_EXAMPLES));
    addHiddenSettings(command, this.argv).action(async () => {
      const { hostDns: wantsHostDns, undo = false, dryRun = false, format } = command.opts();
      const settings = await this.#settings(program, command);
      const docker = await this.#docker(program);
      if (wantsHostDns) {
        const { hostDns } = await import('../commands/daemon/setup-host-dns.ts');
        end(await hostDns(settings, docker, this.#io, { undo, dryRun, format }));
        return;
      }
      if (undo || dryRun) {
        throw new HeddleError(
          'bad-input',
          '--undo and --dry-run are options of --host-dns; give --host-dns as well',
        );
      }
      const { setup } = await import('../commands/daemon/setup.ts');
      end(await setup(settings, command.opts(), docker, this.#io));
    });
  }

  async #runForHost(program: Command, hostCommand: HostCommand, request: CommandArguments): Promise<number> {
    if (hostCommand.changesNetwork) refusePassword(this.#env);
    const command = program.commands.find((candidate) => candidate.name() === hostCommand.name);
    const settings = await this.#settings(program, command);
    const docker = await this.#docker(program);
    const local = program.opts().local === true || request.options.local === true;
    const runner = await this.#runner(settings, docker, hostCommand, local);
    const [name = '', ...args] = this.argv.slice(leadingSettings(this.argv));
    return await runner([name, ...(hostCommand.argumentsToSend?.(args) ?? args)], this.#io);
  }

  async #runner(
    settings: LoadedSettings,
    docker: DockerClient,
    command: WhereTraits,
    local: boolean,
  ): Promise<RunCommand> {
    const where = whereToRun(command, { local, ownEngine: docker.address.startsWith('unix:') });
    const caller = { flags: settingsForHost(this.argv), env: daemonEnvironment(this.#env) };
    return await runnerAt(where, { settings, docker, caller, io: this.#io });
  }

  #docker(program: Command): Promise<DockerClient> {
    return namedEngine(this.#env, this.#trace(program));
  }

  /** With --trace every request to the Docker API is printed, as `sh -x` prints commands. */
  #trace(program: Command): ((line: string) => void) | undefined {
    return program.opts().trace === true ? (line) => void this.#io.stderr.write(`+ ${line}\n`) : undefined;
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
