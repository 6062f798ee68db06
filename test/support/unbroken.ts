import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import { decode, encode, type StringAnswer } from 'dns-packet';

export interface Unbroken {
  /** Milliseconds: the longest time between two right answers, or before the first and after the last. */
  readonly longestGap: number;
  readonly right: number;
  /** Answers that were not the address: worse than none. */
  readonly wrong: number;
}

const EVERY_MS = 10;

/** Asks for a name every 10 ms by UDP, at port 53 of a server, for as long as something else takes. */
export async function askMeanwhile(
  { server, name, address }: { readonly server: string; readonly name: string; readonly address: string },
  meanwhile: () => Promise<unknown>,
): Promise<Unbroken> {
  const socket = createSocket('udp4');
  const seen = { longestGap: 0, right: 0, wrong: 0 };
  let last = performance.now();
  const note = () => {
    const now = performance.now();
    seen.longestGap = Math.max(seen.longestGap, now - last);
    last = now;
  };
  socket.on('error', () => {}); // refused while no server listens
  socket.on('message', (packet) => {
    const { answers = [] } = decode(packet);
    const isRight = answers.length === 1 && (answers[0] as StringAnswer).data === address;
    if (isRight) note();
    seen[isRight ? 'right' : 'wrong'] += 1;
  });
  const timer = setInterval(() => {
    const id = Math.floor(Math.random() * 65_536);
    socket.send(encode({ type: 'query', id, questions: [{ type: 'A', name }] }), 53, server);
  }, EVERY_MS);
  try {
    await meanwhile();
    await delay(5 * EVERY_MS);
    note();
    return { ...seen, longestGap: Math.round(seen.longestGap) };
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
