import { HeddleError } from '../errors.ts';

const HOSTS_FILE =
  "heddle leaves a container's /etc/hosts to Docker, and answers its name by DNS (run --with-dns); " +
  'further entries are an option of docker run: --add-host';

/** Flags of the `weave` script's `run` and `attach` whose effect heddle does not have, and what to do instead. */
const REFUSED: ReadonlyMap<string, string> = new Map([['--rewrite-hosts', HOSTS_FILE]]);

/** Those of `attach`: `run` gives one more to docker, and the other is its own. */
const REFUSED_BY_ATTACH: ReadonlyMap<string, string> = new Map([
  ...REFUSED,
  ['--add-host', HOSTS_FILE],
  [
    '--without-dns',
    'a container is called in DNS what Docker calls it, attached or not; give it another --name',
  ],
]);

/** Asks for what heddle never does: there is nothing to do. */
export const IDLE_FLAG = '--no-rewrite-hosts';
export const ATTACH_FLAGS: readonly string[] = [...REFUSED_BY_ATTACH.keys()];

/** @throws HeddleError `not-supported` for a flag of the script that would otherwise be ignored */
export const refuseInRun = (word: string): void => refuse(word, REFUSED);
export const refuseInAttach = (word: string): void => refuse(word, REFUSED_BY_ATTACH);

function refuse(word: string, flags: ReadonlyMap<string, string>): void {
  const why = flags.get(word.split('=', 1)[0] ?? '');
  if (why !== undefined) throw new HeddleError('not-supported', `${word}: ${why}`);
}
