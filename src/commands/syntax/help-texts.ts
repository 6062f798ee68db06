import { ADDRESS_FORMS } from './address-arguments.ts';

/** Behind the options of `launch --help`. */
export const LAUNCH_HELP = `
--replace  replace the running container; without daemon arguments, keep its arguments
--load     first copy the image from this host

Prints the container id when the daemon answers. Nothing is pulled or built. The image is heddle:<this version>,
or the one that HEDDLE_IMAGE, or --image before the command, names.`;

/** Behind the options of `run --help`. */
export const RUN_HELP = `
--with-dns            make the container ask heddle for names
--rewrite-hosts       map its own name to these addresses in its /etc/hosts
--no-multicast-route  no route for multicast (224.0.0.0/4)
--allow-overlap       allow an address in a network that the host reaches another way, and cut off that way
address               ${ADDRESS_FORMS}

Give addresses, these flags and docker's options before the image. Without an address, WEAVE_CIDR or the label
heddle.cidr in docker's options requests one; without these, any free address is used. 'none' attaches nothing.

Prints the container id. If attaching fails, the container is removed, unless it ended by itself.`;

/** Tests run these like the examples of the other commands. */
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

/** The last part of a command's help. */
export const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((line) => `  heddle ${line}\n`).join('')}`.trimEnd();
