import { existsSync } from 'node:fs';
import { DEFAULT_CONTROL_SOCKET, DEFAULT_FILE } from './config/default-paths.ts';
import { runInDaemon } from './control/client.ts';
import { reportFailure } from './runtime/failure.ts';
import { printableIo } from './runtime/printable.ts';
import { guardStreams } from './runtime/standard-streams.ts';

/**
 * `node here.js WORD…`: has the daemon of this host do a word. What another host runs in heddle's container there;
 * the daemon knows the words, and loading the command line once more would take longer than most of them.
 */
async function wordHere(): Promise<number> {
  const io = printableIo(process);
  try {
    return await runInDaemon(await controlSocket(process.env), process.argv.slice(2), io);
  } catch (error) {
    return reportFailure(error, io);
  }
}

/** Only a file of settings makes it worth while to read them as the daemon does. */
async function controlSocket(env: NodeJS.ProcessEnv): Promise<string> {
  if (!env.HEDDLE_CONFIG && !existsSync(DEFAULT_FILE)) return env.HEDDLE_SOCKET || DEFAULT_CONTROL_SOCKET;
  const { loadSettings } = await import('./config/load.ts');
  return (await loadSettings({ flags: {}, env })).settings.socket;
}

const end = guardStreams();
end(await wordHere());
