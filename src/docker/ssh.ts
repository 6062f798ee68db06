import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { messageOf } from '../errors.ts';
import { http } from '../runtime/http.ts';

/** Where an engine behind ssh is; for undefined values the caller's own ssh settings apply. */
export interface SshHost {
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
}

/** The docker client's value: a silent host must not block longer than a silent engine. */
const CONNECT_TIMEOUT_S = 30;
const MAX_COMPLAINT = 1_000;

/**
 * Connections to an engine behind ssh, made as the docker client makes them: through the caller's own ssh, with its
 * keys, settings and known hosts, and `docker system dial-stdio` on the other host. Connections are reused.
 */
export class SshAgent extends http.Agent {
  readonly #host: SshHost;

  constructor(host: SshHost) {
    super({ keepAlive: true });
    this.#host = host;
  }

  override createConnection(): Duplex {
    const { host, port, user } = this.#host;
    const flags = ['-o', `ConnectTimeout=${CONNECT_TIMEOUT_S}`, '-T'];
    if (user !== undefined) flags.push('-l', user);
    if (port !== undefined) flags.push('-p', String(port));
    return new SshConnection(spawn('ssh', [...flags, '--', host, 'docker', 'system', 'dial-stdio']));
  }
}

/** The two pipes of an ssh process as one stream, with the socket methods that Node's http calls. */
class SshConnection extends Duplex {
  readonly #ssh: ChildProcessWithoutNullStreams;
  #complaint = '';

  constructor(ssh: ChildProcessWithoutNullStreams) {
    super();
    this.#ssh = ssh;
    ssh.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) ssh.stdout.pause();
    });
    ssh.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = `${this.#complaint}${chunk}`.slice(-MAX_COMPLAINT);
    });
    // ssh has ended; its exit status and stderr give the reason.
    ssh.stdin.on('error', () => {});
    ssh.once('error', (cause) => this.destroy(new Error(`cannot start ssh: ${messageOf(cause)}`, { cause })));
    ssh.once('close', (status) => {
      if (status === 0) this.push(null);
      else this.destroy(new Error(`ssh ended with status ${status}: ${this.#complaint.trim()}`));
    });
  }

  override _read(): void {
    this.#ssh.stdout.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#ssh.stdin.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#ssh.stdin.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ssh.kill();
    done(error);
  }

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    this.#ssh.ref();
    return this;
  }

  unref(): this {
    this.#ssh.unref();
    return this;
  }
}
