import { closeSync } from 'node:fs';
import { HeddleError } from '../../errors.ts';
import { errorName, KernelError } from './kernel-error.ts';
import type { Libc } from './libc.ts';
import {
  attributes,
  decode,
  encode,
  type Message,
  NLM_F,
  NLMSG,
  type Request,
  textOf,
  u32,
} from './message.ts';

/** linux/netlink.h, linux/socket.h, bits/socket_type.h */
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NETLINK_ROUTE = 0;
export const SOL_SOCKET = 1;
export const MSG_DONTWAIT = 0x40;
export const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;
const NLMSGERR_ATTR_MSG = 1;

/** Shared by all sockets, because receiving and decoding are synchronous; the kernel fills at most 32 KiB of it. */
const RECEIVE_BUFFER = Buffer.alloc(65_536);
/** A dump that a concurrent change interrupts is repeated; changes come in bursts, which end. */
const DUMP_ATTEMPTS = 10;

/**
 * An rtnetlink socket. It stays in the namespace in which the thread was when it opened the socket. The kernel answers
 * before `send` returns, so reading never waits.
 */
export class RouteSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  #sequence = 0;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = openRouteSocket(libc, (fd) => {
      libc.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, u32(1));
      libc.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, u32(1));
      libc.setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, u32(1)); // dumps of one device alone
    });
  }

  /**
   * Sends requests in one datagram and reads their acknowledgements. The kernel executes all of them, in order.
   * @throws KernelError the first error that its request does not tolerate
   */
  request(...requests: readonly Request[]): void {
    if (requests.length === 0) return;
    const { bytes, pending } = this.#encode(requests, NLM_F.ACK);
    this.#libc.send(this.#fd, bytes);
    this.#receive(pending);
  }

  /**
   * Queries one object. The answer also serves as the acknowledgement: a second message would take as long again.
   * @returns undefined for a tolerated error
   * @throws KernelError
   */
  ask(request: Request): Message | undefined {
    const { bytes, pending } = this.#encode([request], 0);
    this.#libc.send(this.#fd, bytes);
    return this.#receive(pending, { acknowledged: false })[0];
  }

  /** Like `request`, but the kernel works on a pool thread: deleting a link blocks its caller for 10–30 ms. */
  async requestOnPool(...requests: readonly Request[]): Promise<void> {
    if (requests.length === 0) return;
    const { bytes, pending } = this.#encode(requests, NLM_F.ACK);
    await this.#libc.sendOnPool(this.#fd, bytes);
    this.#receive(pending);
  }

  /**
   * Reads a whole table.
   * @param max bound for tables that a container can grow without limit; beyond it the socket is unusable
   * @throws HeddleError `refused` for a longer table
   */
  dump(request: Request, max = Number.POSITIVE_INFINITY): Message[] {
    for (let attempt = 1; ; attempt++) {
      const { bytes, pending } = this.#encode([request], NLM_F.DUMP);
      this.#libc.send(this.#fd, bytes);
      const messages = this.#receive(pending, { max });
      const isInterrupted = messages.some(({ flags }) => flags & NLM_F.DUMP_INTR);
      if (!isInterrupted || attempt === DUMP_ATTEMPTS) return messages;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #encode(requests: readonly Request[], flags: number): { bytes: Buffer; pending: Map<number, Request> } {
    const pending = new Map<number, Request>();
    const frames = requests.map((request) => {
      this.#sequence = (this.#sequence + 1) >>> 0;
      pending.set(this.#sequence, request);
      return encode({ ...request, flags: request.flags | flags }, this.#sequence);
    });
    return { bytes: Buffer.concat(frames), pending };
  }

  #receive(
    pending: Map<number, Request>,
    { acknowledged = true, max = Number.POSITIVE_INFINITY } = {},
  ): Message[] {
    const answers: Message[] = [];
    let firstError: KernelError | undefined;
    while (pending.size > 0) {
      const length = this.#libc.recv(this.#fd, RECEIVE_BUFFER, MSG_DONTWAIT);
      for (const message of decode(RECEIVE_BUFFER.subarray(0, length))) {
        const request = pending.get(message.sequence);
        if (!request) continue; // the answer to an abandoned request
        if (message.type !== NLMSG.ERROR && message.type !== NLMSG.DONE) {
          answers.push(message);
          if (answers.length > max) throw tooLong(max);
          if (!acknowledged) pending.delete(message.sequence);
          continue;
        }
        pending.delete(message.sequence);
        firstError ??= errorIn(message, request);
      }
    }
    if (firstError) throw firstError;
    return answers;
  }
}

const tooLong = (max: number): HeddleError =>
  new HeddleError(
    'refused',
    `the container has more than ${max} interfaces or addresses, which are not read`,
  );

/** Opens a socket, and closes it if its setup fails: an open socket would keep its namespace alive. */
export function openRouteSocket(libc: Libc, prepare: (fd: number) => void): number {
  const fd = libc.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  try {
    prepare(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** struct sockaddr_nl; the kernel chooses the port. */
export function netlinkAddress(groups: number): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(groups >>> 0, 8);
  return address;
}

/** struct nlmsgerr: the negative error number, the request's header, then (ACK_TLVS) attributes with a message. */
function errorIn({ flags, body }: Message, { tolerated }: Request): KernelError | undefined {
  const errno = body.length >= 4 ? -body.readInt32LE(0) : 0;
  if (errno === 0 || tolerated?.includes(errorName(errno))) return undefined;
  const detail = flags & NLM_F.ACK_TLVS ? textOf(attributes(body, 20).get(NLMSGERR_ATTR_MSG)) : '';
  return new KernelError('netlink', errno, detail);
}
