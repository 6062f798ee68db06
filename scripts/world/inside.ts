/** The first program inside a world: starts the engine, loads `busybox`, runs the command and exits with its status. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { importImage } from './busybox.ts';
import { startEngine, worldFolder } from './engine.ts';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) throw new Error('inside.ts is started by launch.ts, with a command');

await startEngine();
await importImage(`${worldFolder()}/busybox.tar`, 'busybox:latest', ['CMD ["sh"]']);

// Ctrl-C and TERM reach the command as well (tini -g). The command decides; the world ends after it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
const command = spawn(program, args, { stdio: 'inherit' });
command.once('error', (error) => {
  console.error(`cannot run ${program}: ${error.message}`);
  process.exit(127);
});
command.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
