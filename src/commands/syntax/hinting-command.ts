import { Command, type ErrorOptions } from 'commander';
import { commandHint, flagHint } from './hints.ts';

/** A command whose error messages suggest what was most likely meant, hidden flags included. */
export class HintingCommand extends Command {
  readonly #otherFlags: readonly string[];

  /** @param otherFlags flags of the command that are parsed elsewhere */
  constructor(name?: string, otherFlags: readonly string[] = []) {
    super(name);
    this.#otherFlags = otherFlags;
    this.showSuggestionAfterError(false);
  }

  override createCommand(name?: string): HintingCommand {
    return new HintingCommand(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    const sentence = message.replace(/\. Expected (.*)\.$/s, ': expected $1');
    return super.error(`${sentence}${this.#hint(message, options?.code)}`, options);
  }

  #hint(message: string, code: string | undefined): string {
    const [, given = ''] = /'([^']*)'/.exec(message) ?? [];
    switch (code) {
      case 'commander.unknownCommand':
        return commandHint(
          given,
          this.commands.map((command) => command.name()),
        );
      case 'commander.unknownOption':
        return flagHint(this.name(), given, this.#flags());
      case 'commander.missingArgument':
      case 'commander.excessArguments':
        return `; usage: heddle ${this.name()} ${this.usage()}`;
      default:
        return '';
    }
  }

  #flags(): readonly string[] {
    const before = this.parent?.options ?? [];
    return ['--help', ...this.#otherFlags, ...[...this.options, ...before].flatMap(({ long }) => long ?? [])];
  }
}
