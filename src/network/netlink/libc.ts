import { openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { KoffiFunc } from 'koffi';
import { HeddleError, messageOf } from '../../errors.ts';
import { KernelError } from './kernel-error.ts';

/** The few functions of the C library that Node does not offer. All of them block; negative results are thrown. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  setsockopt(socket: number, level: number, option: number, value: Buffer): void;
  bind(socket: number, address: Buffer): void;
  send(socket: number, bytes: Buffer): void;
  /** The same on a thread of libuv's pool, for requests that make the kernel wait. */
  sendOnPool(socket: number, bytes: Buffer): Promise<void>;
  recv(socket: number, into: Buffer, flags: number): number;
  recvmsg(socket: number, header: Buffer, flags: number): number;
  /** Waits on a thread of libuv's pool; resolves with the number of ready descriptors. */
  poll(descriptors: Buffer, milliseconds: number): Promise<number>;
  flock(file: number, operation: number): void;
  /** Returns freed memory that the allocator keeps to the system; only glibc has a function for it. */
  trim(): void;
  /** The address of a buffer, for structures with pointers; valid as long as the buffer is referenced. */
  addressOf(buffer: Buffer): bigint;
  /** Runs a synchronous function with this thread inside the network namespace behind a descriptor. */
  inNamespace<T>(namespace: number, run: () => T): T;
}

const CLONE_NEWNET = 0x40000000;

let loading: Promise<Libc> | undefined;

/**
 * The C library, loaded at the first call, so that commands that never use the network do not pay for it.
 * @throws HeddleError `not-supported` where koffi has no build for this platform
 */
export function loadLibc(): Promise<Libc> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw new HeddleError(
      'not-supported',
      `cannot call the C library on ${process.platform}-${process.arch} (${messageOf(error)}): ` +
        'the network engine needs Linux on amd64 or arm64, and the npm package koffi',
      { cause: error },
    );
  });
  return loading;
}

async function load(): Promise<Libc> {
  // libuv starts its pool at the first asynchronous file call. A thread started while this one is inside a container's
  // namespace would stay there for ever. So the pool must be running before the first setns.
  await stat('/');
  const koffi = (await import('koffi')).default;
  const library = koffi.load(null); // this process itself: glibc and musl alike
  const setns = library.func('int setns(int, int)') as KoffiFunc<(fd: number, type: number) => number>;
  const socket = library.func('int socket(int, int, int)');
  const setsockopt = library.func('int setsockopt(int, int, int, uint8_t *, uint32_t)');
  const bind = library.func('int bind(int, uint8_t *, uint32_t)');
  const send = library.func('int64_t send(int, uint8_t *, size_t, int)');
  const recv = library.func('int64_t recv(int, _Out_ uint8_t *, size_t, int)');
  const recvmsg = library.func('int64_t recvmsg(int, _Inout_ uint8_t *, int)');
  const poll = library.func('int poll(_Inout_ uint8_t *, unsigned long, int)');
  const flock = library.func('int flock(int, int)');
  const mallocTrim = optional(() => library.func('int malloc_trim(size_t)'));
  const ownNamespace = openSync('/proc/thread-self/ns/net', 'r');

  const checked = (call: string, result: number | bigint): number => {
    if (result < 0) throw new KernelError(call, koffi.errno());
    return Number(result);
  };

  return {
    socket: (domain, type, protocol) => checked('socket', socket(domain, type, protocol)),
    setsockopt: (fd, level, option, value) =>
      void checked('setsockopt', setsockopt(fd, level, option, value, value.length)),
    bind: (fd, address) => void checked('bind', bind(fd, address, address.length)),
    send: (fd, bytes) => void checked('send', send(fd, bytes, bytes.length, 0)),
    sendOnPool: (fd, bytes) =>
      new Promise((resolve, reject) => {
        send.async(fd, bytes, bytes.length, 0, (error: unknown, result: number) => {
          if (error) reject(error);
          // errno belongs to the pool thread and cannot be read here
          else if (result < 0) reject(new Error('the kernel rejected a request from a thread of the pool'));
          else resolve();
        });
      }),
    recv: (fd, into, flags) => checked('recv', recv(fd, into, into.length, flags)),
    recvmsg: (fd, header, flags) => checked('recvmsg', recvmsg(fd, header, flags)),
    poll: (descriptors, milliseconds) =>
      new Promise((resolve, reject) => {
        const count = descriptors.length / 8; // struct pollfd: int fd, short events, short revents
        poll.async(descriptors, count, milliseconds, (error: unknown, ready: number) =>
          error ? reject(error) : resolve(ready),
        );
      }),
    flock: (file, operation) => void checked('flock', flock(file, operation)),
    trim: () => void mallocTrim?.(0),
    addressOf: (buffer) => koffi.address(buffer),
    inNamespace: (namespace, run) => {
      checked('setns', setns(namespace, CLONE_NEWNET));
      try {
        return run();
      } finally {
        // If the thread stayed in the container's namespace, every later change would go to the wrong place.
        if (setns(ownNamespace, CLONE_NEWNET) < 0) process.abort();
      }
    },
  };
}

function optional<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
