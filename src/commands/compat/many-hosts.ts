import type { Command } from 'commander';
import { HeddleError } from '../../errors.ts';

/** What the `weave` script's users type to join hosts into one network. */
const WORDS = ['connect', 'forget', 'rmpeer'] as const;
/** Parts of the script's `status` that tell of other hosts. */
export const PEER_PARTS = ['targets', 'connections', 'peers'] as const;

/** What the script's `launch` was told of other hosts; before 1.1 with one dash. */
const PEER_FLAGS =
  /^--?(password|name|nickname|port|no-discovery|init-peer-count|ipalloc-init|trusted-subnets|conn-limit|resume)(=|$)/;

/** These words exist, and say that they cannot be done: silence would leave a network that is not there. */
export function defineManyHosts(program: Command): void {
  for (const word of WORDS) {
    program
      .command(word, { hidden: true })
      .argument('[peers...]')
      .allowUnknownOption()
      .action(() => refuseManyHosts(word));
  }
}

/** @throws HeddleError `not-supported` */
export function refuseManyHosts(what: string): never {
  throw new HeddleError(
    'not-supported',
    `${what}: joining several hosts into one network is not there yet; each host has a network of its own`,
  );
}

/**
 * @param words behind `launch`
 * @throws HeddleError `not-supported` for what is about other hosts; a password is not repeated
 */
export function refusePeerFlags(words: readonly string[]): void {
  const found = words.map((word) => PEER_FLAGS.exec(word)?.[1]).find((name) => name !== undefined);
  if (found === 'password') refusePasswordIn(`launch -password`);
  if (found !== undefined) refuseManyHosts(`launch --${found}`);
}

/** @throws HeddleError `not-supported` where a password was given: nothing may pass for encrypted that is not */
export function refusePassword(env: Readonly<Record<string, string | undefined>>): void {
  if (env.WEAVE_PASSWORD) refusePasswordIn('WEAVE_PASSWORD');
}

function refusePasswordIn(what: string): never {
  throw new HeddleError(
    'not-supported',
    `${what} asks for an encrypted network of several hosts, which is not there yet; leave it out to go on`,
  );
}
