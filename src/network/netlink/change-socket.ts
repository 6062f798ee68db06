import { closeSync } from 'node:fs';
import { systemCode } from '../../errors.ts';
import { KernelError } from './kernel-error.ts';
import type { Libc } from './libc.ts';
import { u32 } from './message.ts';
import { MSG_DONTWAIT, netlinkAddress, openRouteSocket, SOL_NETLINK, SOL_SOCKET } from './route-socket.ts';

/** Where a link or an address changed. The kind of change is irrelevant: the namespace is read again. */
export interface Change {
  /** The kernel's id of the namespace; undefined for our own. */
  readonly nsid: number | undefined;
}

/** linux/netlink.h, linux/socket.h, sys/poll.h */
const NETLINK_LISTEN_ALL_NSID = 8;
const SO_RCVBUFFORCE = 33;
const POLLIN = 1;
/** LINK as well, because addresses are reported before `up`, and only a change of the link reports `up`. */
const GROUPS = { LINK: 1, IPV4_ADDRESS: 1 << 4, IPV6_ADDRESS: 1 << 8 } as const;

/** Holds the changes of hundreds of containers that start at once. */
const QUEUE_BYTES = 4 << 20;
/** The content of a message is not used; the kernel truncates what does not fit. */
const DATAGRAM_BYTES = 64;
const CONTROL_BYTES = 256;

/**
 * Receives every change of a link or an address, in our own namespace and in all namespaces that have an id in it. The
 * socket keeps none of these namespaces alive.
 */
export class ChangeSocket implements Disposable {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #data = Buffer.alloc(DATAGRAM_BYTES);
  readonly #control = Buffer.alloc(CONTROL_BYTES);
  readonly #vector = Buffer.alloc(16);
  readonly #header = Buffer.alloc(56);
  readonly #poll = Buffer.alloc(8);

  /** @throws KernelError `EPERM` without NET_BROADCAST */
  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = openRouteSocket(libc, (fd) => {
      listenToAll(libc, fd);
      enlargeQueue(libc, fd);
      libc.bind(fd, netlinkAddress(GROUPS.LINK | GROUPS.IPV4_ADDRESS | GROUPS.IPV6_ADDRESS));
    });
    this.#poll.writeInt32LE(this.#fd, 0);
    this.#poll.writeInt16LE(POLLIN, 4);
    this.#vector.writeBigUInt64LE(libc.addressOf(this.#data), 0);
    this.#vector.writeBigUInt64LE(BigInt(DATAGRAM_BYTES), 8);
  }

  /** Waits on a thread of libuv's pool until there is something to read or the time is over. */
  async readable(milliseconds: number): Promise<boolean> {
    return (await this.#libc.poll(this.#poll, milliseconds)) > 0;
  }

  /**
   * The next change; undefined when there is none.
   * @throws KernelError `ENOBUFS` when changes were lost
   */
  next(): Change | undefined {
    // struct msghdr, the same for glibc and musl on 64-bit little-endian machines; the kernel writes into it
    this.#header.fill(0);
    this.#header.writeBigUInt64LE(this.#libc.addressOf(this.#vector), 16);
    this.#header.writeBigUInt64LE(1n, 24);
    this.#header.writeBigUInt64LE(this.#libc.addressOf(this.#control), 32);
    this.#header.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);
    try {
      this.#libc.recvmsg(this.#fd, this.#header, MSG_DONTWAIT);
      return { nsid: this.#nsid() };
    } catch (error) {
      if (systemCode(error) === 'EAGAIN') return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** struct cmsghdr: length, level, type, then the id; no such message means our own namespace. */
  #nsid(): number | undefined {
    const length = this.#header.readUInt32LE(40);
    if (length < 20) return undefined;
    const ours =
      this.#control.readInt32LE(8) === SOL_NETLINK &&
      this.#control.readInt32LE(12) === NETLINK_LISTEN_ALL_NSID;
    return ours ? this.#control.readInt32LE(16) : undefined;
  }
}

function listenToAll(libc: Libc, fd: number): void {
  try {
    libc.setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, u32(1));
  } catch (error) {
    if (systemCode(error) === 'EPERM') throw new KernelError('watch all namespaces', 1);
    throw error;
  }
}

function enlargeQueue(libc: Libc, fd: number): void {
  try {
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, u32(QUEUE_BYTES));
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error; // without NET_ADMIN a burst may cost a full read
  }
}
