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
import { outputTo } from '../commands/syntax/format.ts';
import { examplesText } from '../commands/syntax/help-texts.ts';
import { HintingCommand } from '../commands/syntax/hinting-command.ts';
import { addHiddenSettings, leadingSettings } from '../commands/syntax/setting-flags.ts';
import type { HostOperations } from '../operations/host-operations.ts';
import { reportFailure } from '../runtime/failure.ts';
import type { Io } from '../runtime/io.ts';
import { printableIo } from '../runtime/printable.ts';
import { VERSION } from '../version.ts';

/** The words that run on the host, in the order of `--help`. */
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

/** Runs a host's word, wherever that is. @returns the exit status */
export type Perform = (word: HostCommand, request: CommandArguments) => Promise<number>;

/** Takes a word's exit status. */
export type End = (status: number) => void;

/**
 * Builds a program, parses the arguments and runs the word among them. Every failure becomes one sentence on stderr.
 * @returns the exit status
 */
export async function runProgram(
  argv: readonly string[],
  io: Io,
  define: (program: Command, end: End) => void,
): Promise<number> {
  let status = 0;
  const program = new HintingCommand('heddle')
    .description('Gives every container of a Docker host its own address, service and name.')
    .version(`heddle ${VERSION}`)
    .configureOutput(outputTo(io))
    .enablePositionalOptions()
    .helpCommand(false)
    .exitOverride();
  defineHelp(program);
  define(program, (given) => {
    status = given;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    return complain(error, io);
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

/** Adds the host's words to a program; the same on the command line and in the daemon. */
export function addHostCommands(program: Command, argv: readonly string[], perform: Perform, end: End): void {
  for (const word of HOST_COMMANDS) {
    const command = program
      .command(word.name, { hidden: word.hidden ?? false })
      .configureOutput(program.configureOutput());
    word.describe(command);
    if (word.examples) command.addHelpText('after', examplesText(word.examples));
    if (word.takesDockerArguments) takesDockerArguments(command);
    else addHiddenSettings(command, argv).option('--local', 'in this process, as root, without a daemon');
    command.action(async () => {
      const args = word.takesDockerArguments ? argv.slice(leadingSettings(argv) + 1) : command.args;
      const request = { args, options: command.opts() };
      word.check?.(request);
      end(await perform(word, request));
    });
  }
}

/** Docker's own arguments follow: `-h` among them is a hostname. */
export const takesDockerArguments = (command: Command): Command =>
  command.helpOption('--help', 'show this').allowUnknownOption().passThroughOptions();

/** The sentence on stderr and the exit status for whatever a word threw. */
function complain(error: unknown, io: Io): number {
  // commander has printed its own sentence; its status for usage errors is 1, ours is 2.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return reportFailure(error, io);
}

/** Runs one of the host's words here: what the daemon does for its socket, and `--local` in its own process. */
export function runOnHost(argv: readonly string[], host: HostOperations, io: Io): Promise<number> {
  const own = printableIo(io);
  return runProgram(argv, own, (program, end) =>
    addHostCommands(program, argv, (word, request) => word.run(host, request, own), end),
  );
}
