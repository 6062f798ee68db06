/**
 * The one error family. A message states what was attempted, what came back and what to do. `code` is stable for
 * programs, `cause` keeps the original error, and the code determines the exit status.
 */

/** Exit status of the command line for each kind of failure: 1 failed, 2 usage, 3 not found, 4 unreachable. */
const EXIT_STATUS = {
  'bad-input': 2,
  'not-found': 3,
  unreachable: 4,
  'not-running': 1,
  'host-network': 1,
  'not-permitted': 1,
  taken: 1,
  refused: 1,
  'not-supported': 1,
  failed: 1,
} as const;

/**
 * - `bad-input`: a command, flag, setting or label that cannot be parsed
 * - `not-found`: no such container, service or device
 * - `unreachable`: Docker, Consul or the daemon does not answer; a retry may succeed
 * - `not-running`: the container exists, but has no running process
 * - `host-network`: the container shares the host's network namespace
 * - `not-permitted`: root or a capability is missing
 * - `taken`: an address, port, name or device that belongs to another owner
 * - `refused`: a peer answered and rejected the request
 * - `not-supported`: this build, kernel or peer cannot do it
 * - `failed`: anything else
 */
export type ErrorCode = keyof typeof EXIT_STATUS;

export class HeddleError extends Error {
  override readonly name = 'HeddleError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Exit status of a command that fails with this error. */
  get exitStatus(): number {
    return EXIT_STATUS[this.code];
  }

  /** True if the same call may succeed later, unchanged. */
  get retryable(): boolean {
    return this.code === 'unreachable';
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system or library error (`ENOENT`, `ECONNREFUSED`, …), if it carries one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether this is a HeddleError with this code. */
export const hasCode = (error: unknown, code: ErrorCode): error is HeddleError =>
  error instanceof HeddleError && error.code === code;

/** Whether the system has denied an operation: root or a capability is missing. */
export const isDenied = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(systemCode(error) ?? '');

/** Whether this process can never do the operation: it lacks permission, or its kernel or build lacks support. */
export const isUnavailable = (error: unknown): boolean =>
  hasCode(error, 'not-permitted') || hasCode(error, 'not-supported');
