import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { ListenAddress } from '../listen.ts';
import { encodeSockaddr } from './sockaddr.ts';

/** System calls that Node does not offer: many datagrams per call. None of them blocks. */
export interface KernelUdp {
  /** Opens a UDP socket bound to this address and returns its descriptor. Throws the system's error. */
  open(address: ListenAddress): number;
  close(socket: number): void;
  /** Prevents other programs from binding the same address, even with SO_REUSEADDR. */
  forbidSharing(socket: number): void;
  /** The memory address of a buffer, valid as long as the buffer is referenced. */
  addressOf(buffer: Buffer): number;
  /** Receives into `count` mmsghdr structures; returns how many were filled, or -1. */
  receive(socket: number, headers: number, count: number): number;
  /** Sends `count` datagrams; returns how many the kernel accepted before the first that it refused, or -1 for none. */
  send(socket: number, headers: number, count: number): number;
}

/** asm-generic/socket.h, linux/in.h, linux/in6.h: the same on amd64 and arm64. */
const [AF_INET, AF_INET6] = [2, 10];
const [SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC] = [2, 0o4000, 0o2000000];
const [SOL_SOCKET, SO_REUSEADDR, SO_RCVBUF, SO_RCVBUFFORCE] = [1, 2, 8, 33];
const [IPPROTO_IPV6, IPV6_V6ONLY] = [41, 26];
const MSG_DONTWAIT = 0x40;
/**
 * Size of the receive queue in bytes, which the kernel doubles: room for 2,700 questions. The default holds 270. One
 * client's burst fills that while the process is busy, and the questions of all clients are lost.
 */
const QUEUE_BYTES = 1 << 20;
/** Reports the full length of a datagram, even if less fits: truncation is noticed. */
const MSG_TRUNC = 0x20;

let loading: Promise<KernelUdp | undefined> | undefined;

/** Loaded once; undefined if koffi has no build for this platform. */
export function loadKernelUdp(): Promise<KernelUdp | undefined> {
  loading ??= load().catch(() => undefined);
  return loading;
}

async function load(): Promise<KernelUdp> {
  const koffi = (await import('koffi')).default;
  const library = koffi.load(null); // this process itself: glibc and musl alike
  const socket = library.func('int socket(int, int, int)');
  const bind = library.func('int bind(int, uint8_t *, uint32_t)');
  const setsockopt = library.func('int setsockopt(int, int, int, uint8_t *, uint32_t)');
  const close = library.func('int close(int)');
  // Memory addresses as numbers: they have 47 bits, and koffi converts numbers fastest.
  const recvmmsg = library.func('int recvmmsg(int, uintptr_t, unsigned int, int, uintptr_t)');
  const sendmmsg = library.func('int sendmmsg(int, uintptr_t, unsigned int, int)');

  const checked = (call: string, result: number): number => {
    if (result >= 0) return result;
    const code = getSystemErrorName(-koffi.errno());
    throw Object.assign(new Error(`${code} from ${call}`), { code });
  };
  const setOption = (fd: number, level: number, option: number, value: number) => {
    const bytes = Buffer.from(Uint32Array.of(value).buffer);
    checked('setsockopt', setsockopt(fd, level, option, bytes, bytes.length));
  };

  /** Exceeds the system's limit if that is allowed (CAP_NET_ADMIN), else stays within it. */
  const widenQueue = (fd: number) => {
    try {
      setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, QUEUE_BYTES);
    } catch {
      setOption(fd, SOL_SOCKET, SO_RCVBUF, QUEUE_BYTES);
    }
  };

  return {
    open({ ip, port }) {
      const family = isIPv6(ip) ? AF_INET6 : AF_INET;
      const fd = checked('socket', socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      try {
        if (family === AF_INET6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        widenQueue(fd);
        const address = encodeSockaddr(ip, port);
        checked('bind', bind(fd, address, address.length));
        return fd;
      } catch (error) {
        close(fd);
        throw error;
      }
    },
    close: (fd) => void close(fd),
    forbidSharing: (fd) => setOption(fd, SOL_SOCKET, SO_REUSEADDR, 0),
    addressOf: (buffer) => Number(koffi.address(buffer)),
    receive: (fd, headers, count) => recvmmsg(fd, headers, count, MSG_DONTWAIT | MSG_TRUNC, 0),
    send: (fd, headers, count) => sendmmsg(fd, headers, count, MSG_DONTWAIT),
  };
}
