import { setFlagsFromString } from 'node:v8';
import { loadLibc } from '../network/netlink/libc.ts';

/** A V8 that does not support one of these flags ignores it. */
const FLAGS = [
  // How much garbage may add to the heap in use before it is collected, in percent; the default is 100 and more.
  '--heap-growing-percent=20',
  // V8 runs a full collection whenever it is idle. A daemon that polls Consul every two seconds is idle after each
  // poll, and the collections cost more than the polls.
  '--gc-memory-reducer-start-delay-ms=60000',
];
const EVERY_MS = 30_000;

/**
 * Limits the daemon to the memory that it uses. The heap grows in small steps, and freed memory returns to the system.
 * Without that, glibc's allocator keeps free memory between pieces in use: 30 MiB after a start with a thousand
 * containers, most of it buffers for answers of the engine.
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
