import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import dnsPacket from 'dns-packet';

/** After this time without the expected answer, a name counts as lost, in ms. */
const PATIENCE_MS = 15_000;
/** A query without an answer is repeated after this time, in ms. */
const ANSWER_MS = 100;

/** Milliseconds since 1970, finer than Date.now(), like the timestamps of the engine's events. */
export const now = (): number => performance.timeOrigin + performance.now();

/** The names of a benchmark container; its service has the same name as the container. */
export const FORMS = {
  service: (container: string) => `${container}.service.dc1.consul`,
  weave: (container: string) => `${container}.weave.local`,
} as const;
export type Form = keyof typeof FORMS;

/** Queries one resolver over UDP, about once a millisecond, until a name has an answer or has none. */
export class NameWatch {
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<number, (answers: number) => void>();
  readonly #patienceMs: number;
  #id = 0;

  private constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
    // The port is not open yet: the query is repeated.
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

  /** When the name first had answers, or none; undefined if that never happened. */
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
