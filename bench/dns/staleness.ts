import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import dnsPacket from 'dns-packet';

/** A service whose only address is the time at which it was changed to it. */
export const CLOCK = 'clock';
/** Of the time in milliseconds, what an address of 10.0.0.0/8 can tell. */
const SPAN = 2 ** 24;
const PAUSE_MS = 1;

/** The address that a moment in milliseconds stands for. */
export function clockAddress(now: number): string {
  const time = now % SPAN;
  return `10.${time >> 16}.${(time >> 8) & 255}.${time & 255}`;
}

/**
 * Asks for the clock again and again until aborted. Resolves with the age of the oldest answer in milliseconds: how
 * long before the question was sent there had been another one. What nobody was told of is not known.
 */
export async function oldestAnswer(port: number, signal: AbortSignal): Promise<number> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const query = dnsPacket.encode({
    type: 'query',
    questions: [{ name: `${CLOCK}.service.consul`, type: 'A' }],
  });
  const heard: { readonly asked: number; readonly told: number }[] = [];
  while (!signal.aborted) {
    const asked = Date.now() % SPAN;
    socket.send(query);
    const coming = once(socket, 'message', { signal: AbortSignal.timeout(1_000) });
    const [reply] = (await coming.catch(() => [undefined])) as [Buffer | undefined];
    if (reply) heard.push({ asked, told: timeIn(reply) });
    await delay(PAUSE_MS);
  }
  socket.close();
  const changes = [...new Set(heard.map(({ told }) => told))].toSorted((one, other) => one - other);
  const ages = heard.map(({ asked, told }) => {
    const newer = changes.find((change) => change > told);
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
