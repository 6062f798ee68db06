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

/** The flags end where the command begins, which has flags of its own. */
const words = process.argv.slice(2);
const isFlag = (word: string, at: number) => word.startsWith('--') || words[at - 1] === '--engine';
const split = words.findIndex((word, at) => !isFlag(word, at));
const { values } = parseArgs({ args: split < 0 ? words : words.slice(0, split), options: FLAGS });
const program = values.engine;
if (program !== 'old' && program !== 'new' && program !== 'podman')
  throw new Error(`--engine ${program}: expected old, new or podman`);
const engine: WorldEngine = {
  program,
  defaultsOf29: values['defaults-of-29'],
  cgroup2: values.cgroup2,
  iptablesLegacy: values['iptables-legacy'],
};
const [command = process.env.SHELL ?? 'sh', ...args] = split < 0 ? [] : words.slice(split);
process.exitCode = await runInWorld([command, ...args], {}, { engine });
