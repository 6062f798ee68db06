import type { Command } from 'commander';
import { HeddleError } from '../../errors.ts';
import type { Io } from '../../runtime/io.ts';

const BY_LAUNCH = 'heddle launch starts all of it';
const BY_STOP = 'heddle stop stops all of it';
const NO_PROXY =
  'heddle has no Docker API proxy; attach containers with heddle run, or with the label heddle.cidr';

/** Commands of the `weave` script that heddle does not need, and what to use instead. */
const REPLACED: Readonly<Record<string, string>> = {
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

/** Commands of the script without effect here. They succeed, as they did from weave 1.1 on, so that scripts continue. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  'launch-dns': 'the daemon answers names, and needs no separate address for that',
  'stop-dns': 'the daemon answers names; heddle stop stops it',
  prime: 'addresses are available as soon as the daemon answers',
};

/** These commands exist so that users of the script learn what to type instead. */
export function defineSuperseded(program: Command, io: Pick<Io, 'stdout' | 'stderr'>): void {
  for (const [name, instead] of Object.entries(REPLACED)) {
    hidden(program, name).action(() => {
      throw new HeddleError('not-supported', `${name}: ${instead}`);
    });
  }
  for (const [name, why] of Object.entries(NOT_NEEDED)) {
    hidden(program, name).action(() => void io.stderr.write(`heddle: ${name} is not needed: ${why}\n`));
  }
  // The kernel forwards by a bridge. The script had two more types.
  hidden(program, 'bridge-type').action(() => void io.stdout.write('bridge\n'));
}

const hidden = (program: Command, name: string): Command =>
  program.command(name, { hidden: true }).argument('[arguments...]').allowUnknownOption();
