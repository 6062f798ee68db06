import type { Command } from 'commander';
import type { HostOperations } from '../../operations/host-operations.ts';
import type { Io } from '../../runtime/io.ts';

/** A word that reads or changes a host, and therefore runs on that host. */
export interface HostCommand {
  readonly name: string;
  /** Not in `--help`: what other words are made of. */
  readonly hidden?: true;
  /** True where the arguments are docker's: they are handed on as they came, flags and all. */
  readonly takesDockerArguments?: true;
  /**
   * What the host is told of the arguments, where that is not all of them: they become a command line there, which
   * `docker inspect` and the engine's events show.
   */
  sent?(args: readonly string[]): readonly string[];
  /** True where it is done in this very process, on a host whose engine is its own: it must work before Docker does. */
  readonly needsNoDocker?: true;
  /** True where it puts somebody on the network, which must not be where an encrypted one was asked for. */
  readonly connects?: true;
  /** True where this very process does what it can, when the host has nothing that could do it. */
  readonly worksAlone?: true;
  /** Command lines for `--help`, without `heddle`; they are tested with a container called web. */
  readonly examples?: readonly string[];
  /** Summary, arguments and options for `--help` and for the parser. */
  describe(command: Command): void;
  /**
   * What is wrong with the arguments, found before anything is contacted.
   * @throws HeddleError `bad-input`
   */
  check?(request: CommandArguments): void;
  /** @returns the exit status */
  run(host: HostOperations, request: CommandArguments, io: Io): Promise<number>;
}

export interface CommandArguments {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}
