/**
 * `node scripts/world.ts [command…]`: runs a command (a shell, when none is given) beside a Docker engine in
 * network, mount and pid namespaces of their own, and leaves nothing behind. For trying things out by hand.
 */
import { runInWorld } from './world/launch.ts';

const [program = process.env.SHELL ?? 'sh', ...args] = process.argv.slice(2);
process.exitCode = await runInWorld([program, ...args]);
