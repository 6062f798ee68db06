import { type Command, CommanderError } from 'commander';
import { attach, detach } from '../commands/containers/attach.ts';
import { dnsArgsCommand } from '../commands/containers/dns-args.ts';
import { dnsAdd, dnsLookup, dnsRemove } from '../commands/containers/dns-names.ts';
import { prepareRun } from '../commands/containers/prepare-run.ts';
import { restart, start } from '../commands/containers/start.ts';
import { gc } from '../commands/daemon/gc.ts';
import { healthcheck } from '../commands/daemon/healthcheck.ts';
import { doctor } from '../commands/inspect/doctor.ts';
import { explainCommand } from '../commands/inspect/explain.ts';
import { ps } from '../commands/inspect/ps.ts';
import { report } from '../commands/inspect/report.ts';
import { services } from '../commands/inspect/services.ts';
import { settingsCommand } from '../commands/inspect/settings.ts';
import { status } from '../commands/inspect/status.ts';
import { createBridge } from '../commands/network/create-bridge.ts';
import { dockerBridgeIp } from '../commands/network/docker-bridge-ip.ts';
import { expose, hide } from '../commands/network/expose.ts';
import { reset } from '../commands/network/reset.ts';
import type { CommandArguments, HostCommand } from '../commands/syntax/command.ts';
import { commanderOutput } from '../commands/syntax/format.ts';
import { examplesText } from '../commands/syntax/help-texts.ts';
import { HintingCommand } from '../commands/syntax/hinting-command.ts';
import { addHiddenSettings, leadingSettings } from '../commands/syntax/setting-flags.ts';
import type { HostOperations } from '../operations/host-operations.ts';
import { reportFailure } from '../runtime/failure.ts';
import type { Io } from '../runtime/io.ts';
import { printableIo } from '../runtime/printable.ts';
import { VERSION } from '../version.ts';

/** The commands that run on the host, in the order of `--help`. */
export const HOST_COMMANDS: readonly HostCommand[] = [
  createBridge,
  start,
  restart,
  attach,
  detach,
  expose,
  hide,
  ps,
  services,
  explainCommand,
  status,
  dnsArgsCommand,
  dnsAdd,
  dnsRemove,
  dnsLookup,
  settingsCommand,
  doctor,
  healthcheck,
  report,
  dockerBridgeIp,
  reset,
  prepareRun,
  gc,
];

/** Runs a command of the host in the right place. @returns the exit status */
export type RunHostCommand = (command: HostCommand, request: CommandArguments) => Promise<number>;

/** Receives the exit status of a command. */
export type SetStatus = (status: number) => void;

/**
 * Builds a program, parses the arguments and runs the command in them. Every failure becomes one sentence on stderr.
 * @returns the exit status
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  define: (program: Command, end: SetStatus) => void,
): Promise<number> {
  let status = 0;
  const program = new HintingCommand('heddle')
    .description('Gives every container of a Docker host its own address, service and name.')
    .version(`heddle ${VERSION}`)
    .configureOutput(commanderOutput(io))
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride();
  defineHelp(program);
  define(program, (ended) => {
    status = ended;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    return reportError(error, io);
  }
}

/** `help`, and `help attach`. */
function defineHelp(program: Command): void {
  const help = program.command('help').summary('show this, or the help of a command').argument('[command]');
  help.action((name: string | undefined) => {
    const found = program.commands.find((command) => command.name() === name);
    if (name !== undefined && !found) {
      program.error(`error: unknown command '${name}'`, { code: 'commander.unknownCommand' });
    }
    (found ?? program).outputHelp();
  });
}

/** Adds the commands of the host to a program: the same ones on the command line and in the daemon. */
export function addHostCommands(
  program: Command,
  argv: readonly string[],
  run: RunHostCommand,
  end: SetStatus,
): void {
  for (const hostCommand of HOST_COMMANDS) {
    const command = program
      .command(hostCommand.name, { hidden: hostCommand.hidden ?? false })
      .configureOutput(program.configureOutput());
    hostCommand.describe(command);
    if (hostCommand.examples) command.addHelpText('after', examplesText(hostCommand.examples));
    if (hostCommand.takesDockerArguments) takesDockerArguments(command);
    else addHiddenSettings(command, argv).option('--local', 'run in this process, as root, without a daemon');
    command.action(async () => {
      const args = hostCommand.takesDockerArguments ? argv.slice(leadingSettings(argv) + 1) : command.args;
      const request = { args, options: command.opts() };
      hostCommand.check?.(request);
      end(await run(hostCommand, request));
    });
  }
}

/** Docker's own arguments follow: `-h` is a hostname there. */
export const takesDockerArguments = (command: Command): Command =>
  command.helpOption('--help', 'show this').allowUnknownOption().passThroughOptions();

/** Prints what a command threw as one sentence on stderr. @returns the exit status */
function reportError(error: unknown, io: Io): number {
  // commander has printed its own sentence. Its status for usage errors is 1, ours is 2.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return reportFailure(error, io);
}

/** Runs a command of the host in this process: the daemon does so for its socket, `--local` for itself. */
export function runOnHost(argv: readonly string[], host: HostOperations, io: Io): Promise<number> {
  const own = printableIo(io);
  return runProgram(argv, own, (program, end) =>
    addHostCommands(program, argv, (command, request) => command.run(host, request, own), end),
  );
}
