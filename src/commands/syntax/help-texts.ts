import { ADDRESS_FORMS } from './address-arguments.ts';

/** Behind the options of `launch --help`. */
export const LAUNCH_HELP = `
--replace  put a new container in the place of a running one; without daemon arguments, with those it had
--load     bring the image of this host first

Prints the container id when the daemon answers. Nothing is pulled or built; --image and HEDDLE_IMAGE before
the word name another image than heddle:<this version>.`;

/** Behind the options of `run --help`. */
export const RUN_HELP = `
--with-dns            the container asks heddle for names
--rewrite-hosts       its /etc/hosts says these addresses for its own name
--no-multicast-route  without the route for multicast, 224.0.0.0/4
--allow-overlap       also in a network that the host reaches otherwise, and cut that off
address               ${ADDRESS_FORMS}

Addresses and these flags stand before the image, docker's options as well. Without an address among them
WEAVE_CIDR or the label heddle.cidr of docker's options counts, else any free one; 'none' attaches nothing.

Prints the container id. If attaching fails, the container is removed again; one that has ended by itself is kept.`;

/** Tested as those of the other commands are. */
export const RUN_EXAMPLES = [
  'run 10.2.1.3/16 busybox sleep 60',
  'run --with-dns --name db -e SERVICE_NAME=db net:default busybox sleep 60',
  "run -e WEAVE_CIDR='10.2.1.4/16 10.3.1.4/24' busybox sleep 60",
];

export const DAEMON_EXAMPLES = [
  'daemon',
  'daemon consul://127.0.0.1:8500',
  'daemon --dns-listen 10.0.0.7 --mtu 1400',
];

export const LAUNCH_EXAMPLES = [
  'launch --load',
  'launch --registry consul://127.0.0.1:8500',
  'launch --replace',
];

export const SETUP_EXAMPLES = ['setup', 'setup --host-dns --dry-run', 'setup --host-dns --undo'];

/** The end of a command's help. */
export const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((line) => `  heddle ${line}\n`).join('')}`.trimEnd();
