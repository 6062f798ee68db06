import { setFlagsFromString } from 'node:v8';
import { loadLibc } from '../network/netlink/libc.ts';

/** A V8 that does not know one of them goes on as it was. */
const FLAGS = [
  // What garbage may add to what is in use before it is collected, in percent; else it is as much again and more.
  '--heap-growing-percent=20',
  // V8 collects everything whenever it finds itself idle. A daemon that looks at Consul every two seconds is idle
  // after each look, and its collections cost more than the looks.
  '--gc-memory-reducer-start-delay-ms=60000',
];
const EVERY_MS = 30_000;

/**
 * Holds the daemon to the memory that it has use for. The heap grows in small steps, and freed memory goes back to the
 * system: the allocator of glibc keeps what lies between pieces in use, 30 MiB after a start with a thousand containers,
 * most of it buffers that answers of the engine were read into.
 */
export class MemoryThrift {
  #timer: NodeJS.Timeout | undefined;

  async start(): Promise<void> {
    for (const flag of FLAGS) setFlagsFromString(flag);
    const libc = await loadLibc();
    this.#timer = setInterval(() => libc.trim(), EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }
}
