import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import dnsPacket from 'dns-packet';

/** How long a name is waited for before it counts as lost, in ms. */
const PATIENCE_MS = 15_000;
/** A question that nobody listened to is asked again after this time. */
const ANSWER_MS = 100;

/** Milliseconds since 1970, finer than Date.now(): the engine stamps its events so. */
export const now = (): number => performance.timeOrigin + performance.now();

/** The names that a container of the benchmark has: its service is called as it is itself. */
export const FORMS = {
  service: (container: string) => `${container}.service.dc1.consul`,
  weave: (container: string) => `${container}.weave.local`,
} as const;
export type Form = keyof typeof FORMS;

/** Asks one resolver over UDP, about once a millisecond, until a name has an answer or has none. */
export class NameWatch {
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<number, (answers: number) => void>();
  readonly #patienceMs: number;
  #id = 0;

  private constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
    // Nobody listens there yet: asked again.
    this.#socket.on('error', () => {});
    this.#socket.on('message', (message) => {
      this.#waiting.get(message.readUInt16BE(0))?.(message.readUInt16BE(6));
    });
  }

  static async open(port: number, patienceMs = PATIENCE_MS): Promise<NameWatch> {
    const watch = new NameWatch(patienceMs);
    watch.#socket.connect(port, '127.0.0.1');
    await once(watch.#socket, 'connect');
    return watch;
  }

  /** When the name was first seen to have answers, or none; undefined when it never was. */
  async until(name: string, answered: boolean): Promise<number | undefined> {
    const deadline = now() + this.#patienceMs;
    while (now() < deadline) {
      const answers = await this.#ask(name);
      const at = now();
      if (answers !== undefined && answers > 0 === answered) return at;
      await sleep(1);
    }
    return undefined;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(name: string): Promise<number | undefined> {
    this.#id = (this.#id % 65_535) + 1;
    const id = this.#id;
    const questions = [{ name, type: 'A' as const }];
    return new Promise((resolve) => {
      const done = (answers: number | undefined) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answers);
      };
      const timer = setTimeout(done, ANSWER_MS, undefined);
      this.#waiting.set(id, done);
      this.#socket.send(
        dnsPacket.encode({ type: 'query', id, flags: dnsPacket.RECURSION_DESIRED, questions }),
      );
    });
  }
}
