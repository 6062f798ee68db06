import { loadLibc } from './network/netlink/libc.ts';

const EVERY_MS = 10_000;

/**
 * Gives freed memory back to the system, now and then. The allocator of glibc keeps what lies between pieces in use:
 * 30 MiB after a start with a thousand containers, most of it buffers that answers of the engine were read into.
 */
export class MemoryReturn {
  #timer: NodeJS.Timeout | undefined;

  async start(): Promise<void> {
    const libc = await loadLibc();
    this.#timer = setInterval(() => libc.trim(), EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
  }
}
