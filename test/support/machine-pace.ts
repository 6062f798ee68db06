import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const ECHO = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (packet, from) => socket.send(packet, from.port, from.address));
socket.bind(0, '127.0.0.1', () => console.log(socket.address().port));`;
const EVERY_MS = 10;

/**
 * Measures how long the machine itself delays a process: a process that only echoes datagrams is asked every
 * 10 ms. A delay that it shows as well is not the tested program's.
 */
export class MachinePace implements AsyncDisposable {
  readonly #echo: ChildProcess;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  /** When each echo came, in ms of performance.now(). */
  readonly #times: number[] = [performance.now()];

  private constructor(echo: ChildProcess, port: number) {
    this.#echo = echo;
    this.#socket = createSocket('udp4').on('message', () => this.#times.push(performance.now()));
    this.#timer = setInterval(() => this.#socket.send('?', port, '127.0.0.1'), EVERY_MS);
  }

  static async start(): Promise<MachinePace> {
    const echo = spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [port] = await once(echo.stdout, 'data');
    return new MachinePace(echo, Number(port));
  }

  /** The sum of the gaps of over two turns between its echoes since then, in ms: time in which the machine did not run it. */
  lostSince(began: number): number {
    const times = [...this.#times.filter((time) => time >= began), performance.now()];
    return times.reduce((lost, time, index) => {
      const gap = time - (times[index - 1] ?? began);
      return gap > 2 * EVERY_MS ? lost + gap : lost;
    }, 0);
  }

  /** The longest time between two echoes since then, in ms. */
  longestGapSince(began: number): number {
    const times = [...this.#times.filter((time) => time >= began), performance.now()];
    return Math.max(...times.map((time, index) => time - (times[index - 1] ?? began)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#socket.close();
    this.#echo.kill('SIGKILL');
  }
}
