import { type Command, CommanderError, type OutputConfiguration } from 'commander';
import { tellFailure } from '../failure.ts';
import type { Io } from '../io.ts';
import { printable } from '../printable.ts';
import { VERSION } from '../version.ts';
import { attach, detach } from './attach.ts';
import { createBridge } from './create-bridge.ts';
import { dnsArgsWord } from './dns-args.ts';
import { dockerBridgeIp } from './docker-bridge-ip.ts';
import { doctor } from './doctor.ts';
import { settingsWord } from './effective-settings.ts';
import { explainWord } from './explain.ts';
import { expose, hide } from './expose.ts';
import { gc } from './gc.ts';
import { healthcheck } from './healthcheck.ts';
import { examplesText } from './help-texts.ts';
import { HintingCommand } from './hinting-command.ts';
import { dnsAdd, dnsLookup, dnsRemove } from './names.ts';
import { prepareRun } from './prepare-run.ts';
import { ps } from './ps.ts';
import { report } from './report.ts';
import { reset } from './reset.ts';
import { services } from './services.ts';
import { addHiddenSettings, leadingSettings } from './settings.ts';
import { restart, start } from './start.ts';
import { status } from './status.ts';
import type { HostWord, WordArguments } from './word.ts';

/** The words that run on the host, in the order of `--help`. */
export const HOST_WORDS: readonly HostWord[] = [
  createBridge,
  start,
  restart,
  attach,
  detach,
  expose,
  hide,
  ps,
  services,
  explainWord,
  status,
  dnsArgsWord,
  dnsAdd,
  dnsRemove,
  dnsLookup,
  settingsWord,
  doctor,
  healthcheck,
  report,
  dockerBridgeIp,
  reset,
  prepareRun,
  gc,
];

/** Runs a host's word, wherever that is. @returns the exit status */
export type Perform = (word: HostWord, request: WordArguments) => Promise<number>;

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

/** Where a command's own words go, and how they begin. */
export const outputTo = (io: Io): OutputConfiguration => ({
  writeOut: (text) => void io.stdout.write(text),
  writeErr: (text) => void io.stderr.write(text),
  // What was given stands in these sentences: they have one line each.
  outputError: (text, write) =>
    write(`${printable(text.replace(/\n$/, '').replace(/^error: /, 'heddle: '))}\n`),
});

/** Adds the host's words to a program; the same on the command line and in the daemon. */
export function addHostWords(program: Command, argv: readonly string[], perform: Perform, end: End): void {
  for (const word of HOST_WORDS) {
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
  return tellFailure(error, io);
}
