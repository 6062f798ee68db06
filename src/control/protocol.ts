import * as v from 'valibot';

/**
 * The control socket speaks HTTP: `GET /engine` tells which Docker engine the daemon serves; `POST /word` takes a
 * word with its arguments and answers with one JSON line for each piece of output and a last one with the exit
 * status; `POST /hand-over` ends the daemon, and is answered when another one can take its place, or with `NOT_NOW`
 * and why.
 */
export const NOT_NOW = 503;
export const COMMAND_LIMIT_BYTES = 1 << 20;

export const CommandRequest = v.object({ argv: v.array(v.string()) });

export const OutputLine = v.union([
  v.object({ out: v.string() }),
  v.object({ err: v.string() }),
  v.object({ exit: v.number() }),
]);

export const EngineAnswer = v.object({
  /** Docker's id of the engine; empty while Docker has not answered yet. */
  engine: v.string(),
  /** `unix:///var/run/docker.sock`, as the daemon reaches it. */
  address: v.string(),
  version: v.string(),
  /** In its own pid namespace; absent in older answers. */
  pid: v.optional(v.number()),
});
export type EngineAnswer = v.InferOutput<typeof EngineAnswer>;
