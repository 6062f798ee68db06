import type { Command } from 'commander';
import { HeddleError } from '../../errors.ts';

/** Commands of the `weave` script that join hosts into one network. */
const MANY_HOSTS_COMMANDS = ['connect', 'forget', 'rmpeer'] as const;
/** Parts of the script's `status` about other hosts. */
export const PEER_PARTS = ['targets', 'connections', 'peers'] as const;

/** Flags of the script's `launch` about other hosts. Before 1.1 they had one dash. */
const PEER_FLAGS =
  /^--?(password|name|nickname|port|no-discovery|init-peer-count|ipalloc-init|trusted-subnets|conn-limit|resume)(=|$)/;

/** These commands exist in order to fail: a silent success would suggest a network that does not exist. */
export function defineManyHosts(program: Command): void {
  for (const name of MANY_HOSTS_COMMANDS) {
    program
      .command(name, { hidden: true })
      .argument('[peers...]')
      .allowUnknownOption()
      .action(() => refuseManyHosts(name));
  }
}

/** @throws HeddleError `not-supported` */
export function refuseManyHosts(what: string): never {
  throw new HeddleError(
    'not-supported',
    `${what}: joining several hosts into one network is not supported yet; each host has its own network`,
  );
}

/**
 * @param args behind `launch`
 * @throws HeddleError `not-supported` for a flag about other hosts; the message never repeats a password
 */
export function refusePeerFlags(args: readonly string[]): void {
  const found = args.map((arg) => PEER_FLAGS.exec(arg)?.[1]).find((name) => name !== undefined);
  if (found === 'password') refusePasswordIn('launch -password');
  if (found !== undefined) refuseManyHosts(`launch --${found}`);
}

/** @throws HeddleError `not-supported` if a password is set: plain traffic must not pass for encrypted */
export function refusePassword(env: Readonly<Record<string, string | undefined>>): void {
  if (env.WEAVE_PASSWORD) refusePasswordIn('WEAVE_PASSWORD');
}

function refusePasswordIn(what: string): never {
  throw new HeddleError(
    'not-supported',
    `${what} requests an encrypted network of several hosts, which is not supported yet; remove it to continue`,
  );
}
