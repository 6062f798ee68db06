import type { Command } from 'commander';
import type { HostOperations } from '../../operations/host-operations.ts';
import type { Io } from '../../runtime/io.ts';

/** A command that reads or changes a host, and therefore runs on that host. */
export interface HostCommand {
  readonly name: string;
  /** Not in `--help`: other commands call it. */
  readonly hidden?: true;
  /** The arguments are docker's. They are passed on unchanged, with all flags. */
  readonly takesDockerArguments?: true;
  /**
   * Selects the arguments to send to the host; without it, all are sent. They become a command line there, and
   * `docker inspect` and the engine's events show it.
   */
  argumentsToSend?(args: readonly string[]): readonly string[];
  /** It runs in this process if the engine is this host's own: it must work before Docker does. */
  readonly needsNoDocker?: true;
  /** It connects something to the network, so it is refused if the user requested an encrypted network. */
  readonly changesNetwork?: true;
  /** Without a daemon, container or helper on the host, this process shows what it can see. */
  readonly observesWithoutDaemon?: true;
  /** Command lines for `--help`, without `heddle`. Tests run them with a container called web. */
  readonly examples?: readonly string[];
  /** Defines summary, arguments and options for `--help` and for the parser. */
  describe(command: Command): void;
  /**
   * Checks the arguments before anything is contacted.
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
