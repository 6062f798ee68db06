import { loadLibc } from './netlink/libc.ts';
import { Namespace } from './netlink/namespace.ts';

/** Others may be waiting for containers that take their time to stop. */
const PATIENCE_MS = 60_000;

/**
 * Does something while no other process does anything under this lock on the same host, be it in a container: two
 * that look for a free address at once would find the same one.
 * @throws HeddleError `failed` when others hold it for a minute
 */
export async function oneAtATime<T>(work: () => Promise<T>): Promise<T> {
  const libc = await loadLibc();
  using host = new Namespace('/proc/thread-self/ns/net');
  await host.lock(libc, PATIENCE_MS);
  return await work();
}
