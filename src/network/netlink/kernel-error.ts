import { getSystemErrorMap } from 'node:util';
import { type ErrorCode, HeddleError, messageOf, systemCode } from '../../errors.ts';

const SYSTEM_ERRORS = getSystemErrorMap();

/** `EEXIST`, `ENODEV`, …; `E<number>` if Node has no name for it. */
export const errorName = (errno: number): string => SYSTEM_ERRORS.get(-errno)?.[0] ?? `E${errno}`;

/** An error from the kernel: the call, the error's name and, if netlink sent one, the kernel's own message. */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** As returned by `errorName`. */
  readonly code: string;
  /** `setns`, `socket`, `bind`, `netlink`, … */
  readonly call: string;

  constructor(call: string, errno: number, detail = '') {
    const code = errorName(errno);
    super(`${detail || SYSTEM_ERRORS.get(-errno)?.[1] || 'unknown error'} (${code} from ${call})`);
    this.code = code;
    this.call = call;
  }
}

/** The capability that each call needs; a container that runs heddle gets these by name. */
const CAPABILITY: Readonly<Record<string, string>> = {
  open: 'SYS_PTRACE',
  stat: 'SYS_PTRACE',
  setns: 'SYS_ADMIN',
  netlink: 'NET_ADMIN',
  send: 'NET_ADMIN',
  'watch all namespaces': 'NET_BROADCAST',
};

const CODES: Readonly<Record<string, ErrorCode>> = {
  EPERM: 'not-permitted',
  EACCES: 'not-permitted',
  ENOTSUP: 'not-supported', // also Node's name for EOPNOTSUPP: on Linux both have the same number
  EAFNOSUPPORT: 'not-supported',
  EPROTONOSUPPORT: 'not-supported',
  ENOSYS: 'not-supported',
};

/**
 * Explains a failed system call to the user.
 * @param attempt the failed action, such as `attach container 0123456789ab`
 */
export function kernelFailure(attempt: string, error: unknown): HeddleError {
  if (error instanceof HeddleError) return error;
  const call = callOf(error);
  const system = systemCode(error) ?? '';
  if (call === 'netlink' && system === 'EACCES') {
    // Not a missing capability (that is EPERM): the kernel rejects IPv6 addresses this way where IPv6 is disabled.
    const remedy = 'start it with --sysctl net.ipv6.conf.all.disable_ipv6=0';
    const why = `IPv6 is disabled in the container: ${remedy}`;
    return new HeddleError('not-supported', `cannot ${attempt}: ${why}`, { cause: error });
  }
  const code = CODES[system] ?? 'failed';
  const capability = CAPABILITY[call];
  const remedy =
    code === 'not-permitted'
      ? `: run heddle as root${capability ? ` with the capability ${capability}` : ''}`
      : '';
  return new HeddleError(code, `cannot ${attempt}: ${messageOf(error)}${remedy}`, { cause: error });
}

function callOf(error: unknown): string {
  if (error instanceof KernelError) return error.call;
  const { syscall } = error as NodeJS.ErrnoException;
  return typeof syscall === 'string' ? syscall : '';
}

/** Explains "no such file" for the path of a network namespace; returns other errors unchanged. */
export function namespaceGone(path: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code !== 'ENOENT' && code !== 'ESRCH' && code !== 'ENOTDIR') return error;
  return new HeddleError('not-running', `no network namespace at ${path}: its container has stopped`, {
    cause: error,
  });
}
