import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import dnsPacket from 'dns-packet';

/** A service whose only address encodes the time of its last change. */
export const CLOCK = 'clock';
/** The part of the time in milliseconds that an address in 10.0.0.0/8 can encode. */
const SPAN = 2 ** 24;
const PAUSE_MS = 1;

/** The address that encodes a time in milliseconds. */
export function clockAddress(now: number): string {
  const time = now % SPAN;
  return `10.${time >> 16}.${(time >> 8) & 255}.${time & 255}`;
}

/**
 * Queries the clock repeatedly until aborted. Resolves with the age of the stalest answer in milliseconds: how long
 * before the query a newer address already existed. Only addresses that appear in an answer count.
 */
export async function oldestAnswer(port: number, signal: AbortSignal): Promise<number> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const query = dnsPacket.encode({
    type: 'query',
    questions: [{ name: `${CLOCK}.service.consul`, type: 'A' }],
  });
  const answers: { readonly asked: number; readonly clock: number }[] = [];
  while (!signal.aborted) {
    const asked = Date.now() % SPAN;
    socket.send(query);
    const coming = once(socket, 'message', { signal: AbortSignal.timeout(1_000) });
    const [reply] = (await coming.catch(() => [undefined])) as [Buffer | undefined];
    if (reply) answers.push({ asked, clock: timeIn(reply) });
    await delay(PAUSE_MS);
  }
  socket.close();
  const changes = [...new Set(answers.map(({ clock }) => clock))].toSorted((one, other) => one - other);
  const ages = answers.map(({ asked, clock }) => {
    const newer = changes.find((change) => change > clock);
    return newer === undefined ? 0 : Math.max(0, asked - newer);
  });
  return Math.max(0, ...ages);
}

function timeIn(reply: Buffer): number {
  const [answer] = dnsPacket.decode(reply).answers ?? [];
  if (answer?.type !== 'A') throw new Error('the clock has no address');
  const [, high = 0, middle = 0, low = 0] = answer.data.split('.').map(Number);
  return (high << 16) | (middle << 8) | low;
}
