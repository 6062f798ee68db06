import type { Command } from 'commander';
import { HeddleError } from '../../errors.ts';
import type { Io } from '../../runtime/io.ts';

const BY_LAUNCH = 'heddle launch starts all of it';
const BY_STOP = 'heddle stop stops all of it';
const NO_PROXY =
  'heddle stands in front of no Docker API; containers are attached by heddle run, or by the label heddle.cidr';

/** Words of the `weave` script that heddle has no use for, and what does it instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  'launch-router': BY_LAUNCH,
  'launch-proxy': NO_PROXY,
  'launch-plugin': NO_PROXY,
  'proxy-env': NO_PROXY,
  'proxy-config': NO_PROXY,
  env: NO_PROXY,
  config: NO_PROXY,
  'stop-router': BY_STOP,
  'stop-proxy': BY_STOP,
  'stop-plugin': BY_STOP,
};

/** Words of the script that ask for what is so anyway: scripts go on behind them, as they did from weave 1.1 on. */
const NEEDLESS: Readonly<Record<string, string>> = {
  'launch-dns': 'names are answered by the daemon, and need no address of their own',
  'stop-dns': 'names are answered by the daemon; heddle stop stops it',
  prime: 'addresses can be had as soon as the daemon answers',
};

/** These words exist, so that whoever types them out of habit learns what to type. */
export function defineSuperseded(program: Command, io: Pick<Io, 'stdout' | 'stderr'>): void {
  for (const [word, instead] of Object.entries(INSTEAD)) {
    hidden(program, word).action(() => {
      throw new HeddleError('not-supported', `${word}: ${instead}`);
    });
  }
  for (const [word, why] of Object.entries(NEEDLESS)) {
    hidden(program, word).action(() => void io.stderr.write(`heddle: ${word} is not needed: ${why}\n`));
  }
  // What the kernel forwards by; the script had two more.
  hidden(program, 'bridge-type').action(() => void io.stdout.write('bridge\n'));
}

const hidden = (program: Command, word: string): Command =>
  program.command(word, { hidden: true }).argument('[words...]').allowUnknownOption();
