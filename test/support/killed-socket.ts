import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Leaves a socket file without a listener, as a killed process does. */
export async function killedSocket(path: string): Promise<void> {
  const program = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program], { stdio: 'ignore' }), 'exit');
}
