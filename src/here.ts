import { existsSync } from 'node:fs';
import { DEFAULT_CONTROL_SOCKET, DEFAULT_FILE } from './config/default-paths.ts';
import { runInDaemon } from './control/client.ts';
import { reportFailure } from './runtime/failure.ts';
import { printableIo } from './runtime/printable.ts';
import { guardStreams } from './runtime/standard-streams.ts';

/**
 * `node here.js COMMAND…`: makes the daemon of this host run a command. Another host runs this file in heddle's
 * container through `docker exec`. The daemon parses the command: loading the command line would take longer than most
 * commands.
 */
async function runHere(): Promise<number> {
  const io = printableIo(process);
  try {
    return await runInDaemon(await controlSocket(process.env), process.argv.slice(2), io);
  } catch (error) {
    return reportFailure(error, io);
  }
}

/** Without a settings file the environment is enough, and the settings schema need not be loaded. */
async function controlSocket(env: NodeJS.ProcessEnv): Promise<string> {
  if (!env.HEDDLE_CONFIG && !existsSync(DEFAULT_FILE)) return env.HEDDLE_SOCKET || DEFAULT_CONTROL_SOCKET;
  const { loadSettings } = await import('./config/load.ts');
  return (await loadSettings({ flags: {}, env })).settings.socket;
}

const end = guardStreams();
end(await runHere());
