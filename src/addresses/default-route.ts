import { createSocket, type Socket } from 'node:dgram';
import { isReachable } from './reachable.ts';

/** TEST-NET-1 (RFC 5737): connecting a datagram socket sends nothing, it only asks the routing table. */
const EXTERNAL_IP = '192.0.2.1';

/**
 * The address this host talks to others from: the source address of its default route. Undefined without such a
 * route, and where its source is an address that no other host can use.
 */
export async function defaultRouteAddress(open = () => createSocket('udp4')): Promise<string | undefined> {
  try {
    const address = await sourceAddress(open());
    return isReachable(address) ? address : undefined;
  } catch {
    return undefined; // no route, or no socket to ask with
  }
}

/** @throws Error of the kernel, ENETUNREACH without a route */
async function sourceAddress(socket: Socket): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      // By events: a callback is called on failure, too, and then gets the error.
      socket.once('connect', resolve);
      socket.on('error', reject);
      socket.connect(53, EXTERNAL_IP);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
