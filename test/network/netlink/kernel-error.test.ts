import { expect, test } from 'vitest';
import { HeddleError } from '../../../src/errors.ts';
import { KernelError, kernelFailure } from '../../../src/network/netlink/kernel-error.ts';

const systemError = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: permission denied, ${syscall} '/proc/7/ns/net'`), { code, syscall });

test.each([
  [new KernelError('setns', 1), 'not-permitted', 'capability SYS_ADMIN'],
  [new KernelError('netlink', 1), 'not-permitted', 'capability NET_ADMIN'],
  [new KernelError('watch all namespaces', 1), 'not-permitted', 'capability NET_BROADCAST'],
  [systemError('EACCES', 'open'), 'not-permitted', 'capability SYS_PTRACE'],
  [new KernelError('bind', 1), 'not-permitted', 'run heddle as root'],
  [new KernelError('netlink', 13), 'not-supported', 'net.ipv6.conf.all.disable_ipv6=0'],
  [new KernelError('netlink', 95, 'Unknown device type'), 'not-supported', 'Unknown device type'],
  [new KernelError('netlink', 16), 'failed', 'EBUSY'],
  [new Error('anything'), 'failed', 'anything'],
])('%s is explained as %s', (cause, code, message) => {
  const error = kernelFailure('attach container 0123456789ab', cause);
  expect(error).toMatchObject({ code, cause, message: expect.stringContaining(message) });
  expect(error.message).toMatch(/^cannot attach container 0123456789ab: /);
});

test('an explained error stays unchanged', () => {
  const refusal = new HeddleError('taken', 'weave is not a bridge');
  expect(kernelFailure('make bridge weave', refusal)).toBe(refusal);
});
