import { daemonAt } from '../control/client.ts';
import type { EngineAnswer } from '../control/protocol.ts';
import type { Io } from '../io.ts';
import { VERSION } from '../version.ts';
import { answer } from './format.ts';

/** This program's version, and that of the daemon on this host where one answers. */
export async function version(
  socket: string | undefined,
  options: { readonly format?: unknown },
  io: Io,
): Promise<number> {
  // One that may not be asked, or does not answer, is none that this command can tell of.
  const daemon = socket === undefined ? undefined : await daemonAt(socket).catch(() => undefined);
  const value = {
    version: VERSION,
    node: process.versions.node,
    daemon: daemon ? { version: daemon.version, pid: daemon.pid } : null,
  };
  answer(io, options, `heddle ${VERSION}\n${daemon ? daemonLine(daemon) : ''}`, value);
  return 0;
}

const daemonLine = ({ version }: EngineAnswer): string =>
  `daemon ${version}${version === VERSION ? '' : ', another version than this program'}\n`;
