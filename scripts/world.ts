/**
 * `npm run world -- [--engine old|new|podman] [--defaults-of-29] [--cgroup2] [--iptables-legacy] [command…]`: runs a
 * command, by default a shell, beside a private Docker engine in its own network, mount and pid namespaces. Leaves
 * nothing behind. For experiments by hand.
 */
import { parseArgs } from 'node:util';
import type { WorldEngine } from './world/engines.ts';
import { runInWorld } from './world/launch.ts';

const FLAGS = {
  engine: { type: 'string', default: 'old' },
  'defaults-of-29': { type: 'boolean', default: false },
  cgroup2: { type: 'boolean', default: false },
  'iptables-legacy': { type: 'boolean', default: false },
} as const;

/** Our flags end where the command begins: the command has flags of its own. */
const argv = process.argv.slice(2);
const isFlag = (argument: string, at: number) => argument.startsWith('--') || argv[at - 1] === '--engine';
const split = argv.findIndex((word, at) => !isFlag(word, at));
const { values } = parseArgs({ args: split < 0 ? argv : argv.slice(0, split), options: FLAGS });
const program = values.engine;
if (program !== 'old' && program !== 'new' && program !== 'podman')
  throw new Error(`--engine ${program}: expected old, new or podman`);
const engine: WorldEngine = {
  program,
  defaultsOf29: values['defaults-of-29'],
  cgroup2: values.cgroup2,
  iptablesLegacy: values['iptables-legacy'],
};
const [command = process.env.SHELL ?? 'sh', ...args] = split < 0 ? [] : argv.slice(split);
process.exitCode = await runInWorld([command, ...args], {}, { engine });
