import type { Command } from 'commander';
import { HeddleError } from '../errors.ts';

/** What the `weave` script's users type to join hosts into one network. */
const WORDS = ['connect', 'forget'] as const;

/** These words exist, and say that they cannot be done: silence would leave a network that is not there. */
export function defineManyHosts(program: Command): void {
  for (const word of WORDS) {
    program
      .command(word, { hidden: true })
      .argument('[peers...]')
      .allowUnknownOption()
      .action(() => {
        throw new HeddleError(
          'not-supported',
          `${word}: joining several hosts into one network is not there yet; each host has a network of its own`,
        );
      });
  }
}

/** @throws HeddleError `not-supported` where a password was given: nothing may pass for encrypted that is not */
export function refusePassword(env: Readonly<Record<string, string | undefined>>): void {
  if (!env.WEAVE_PASSWORD) return;
  throw new HeddleError(
    'not-supported',
    'WEAVE_PASSWORD asks for an encrypted network of several hosts, which is not there yet; unset it to go on',
  );
}
