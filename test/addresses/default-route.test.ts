import type { createSocket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { defaultRouteAddress } from '../../src/addresses/default-route.ts';

/** Like Node's datagram socket: the result arrives as `connect` or `error`, or through the callback. */
function socketThat(outcome: { readonly error?: Error; readonly address?: string }) {
  const socket = new EventEmitter() as EventEmitter & ReturnType<typeof createSocket>;
  let closed = 0;
  const answers = {
    connect: (_port: number, _ip: string, callback?: (error?: Error) => void) =>
      setImmediate(() => {
        if (callback) callback(outcome.error);
        else if (outcome.error) socket.emit('error', outcome.error);
        else socket.emit('connect');
      }),
    address: () => ({ address: outcome.address ?? '0.0.0.0', family: 'IPv4', port: 1 }),
    close: () => {
      closed += 1;
    },
  };
  return { socket: Object.assign(socket, answers), closed: () => closed };
}

const unreachable = Object.assign(new Error('connect ENETUNREACH 192.0.2.1:53'), { code: 'ENETUNREACH' });

describe('the address of the default route', () => {
  test.each([
    ['a route', { address: '192.168.0.10' }, '192.168.0.10'],
    ['no route', { error: unreachable }, undefined],
    ['a route without a source address', { address: '0.0.0.0' }, undefined],
    ['a route to the host itself', { address: '127.0.0.1' }, undefined],
    ['an address that is only valid on its link', { address: '169.254.7.7' }, undefined],
  ])('%s', async (_, outcome, expected) => {
    const { socket, closed } = socketThat(outcome);
    expect(await defaultRouteAddress(() => socket)).toBe(expected);
    expect(closed()).toBe(1);
  });

  test('a process that cannot open a socket', async () => {
    const refused = () => {
      throw new Error('EMFILE');
    };
    expect(await defaultRouteAddress(refused)).toBeUndefined();
  });

  test('the socket of this machine answers without an unspecified address', async () => {
    expect(await defaultRouteAddress()).not.toBe('0.0.0.0');
  });
});
