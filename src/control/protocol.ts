import * as v from 'valibot';

/**
 * The control socket speaks HTTP:
 * - `GET /engine` returns which Docker engine the daemon serves.
 * - `POST /word` runs a command. The response has one JSON line for each piece of output, then one with the exit status.
 * - `POST /hand-over` ends the daemon. The response comes when a successor can start, or is `NOT_NOW` with the reason.
 */
export const NOT_NOW = 503;
/** The path keeps its first name: daemons and clients of earlier versions use it. */
export const COMMAND_PATH = '/word';
export const COMMAND_LIMIT_BYTES = 1 << 20;

export const CommandRequest = v.object({ argv: v.array(v.string()) });

export const OutputLine = v.union([
  v.object({ out: v.string() }),
  v.object({ err: v.string() }),
  v.object({ exit: v.number() }),
]);

export const EngineAnswer = v.object({
  /** Docker's id of the engine; empty until Docker has answered. */
  engine: v.string(),
  /** How the daemon reaches the engine: `unix:///var/run/docker.sock`. */
  address: v.string(),
  version: v.string(),
  /** In the daemon's own pid namespace. Older daemons do not send it. */
  pid: v.optional(v.number()),
});
export type EngineAnswer = v.InferOutput<typeof EngineAnswer>;
