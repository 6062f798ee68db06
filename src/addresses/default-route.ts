import { createSocket, type Socket } from 'node:dgram';
import { isReachable } from './reachable.ts';

/** TEST-NET-1 (RFC 5737): connecting a datagram socket sends nothing, it only queries the routing table. */
const EXTERNAL_IP = '192.0.2.1';

/**
 * The source address of this host's default route. Undefined without a default route, or if no other host can use that
 * address.
 */
export async function defaultRouteAddress(open = () => createSocket('udp4')): Promise<string | undefined> {
  try {
    const address = await sourceAddress(open());
    return isReachable(address) ? address : undefined;
  } catch {
    return undefined; // no route, or no socket available
  }
}

/** @throws the kernel's error, ENETUNREACH without a route */
async function sourceAddress(socket: Socket): Promise<string> {
  try {
    await new Promise<void>((resolve, reject) => {
      // Events instead of the callback: Node passes a failure to the callback, not to `error`, if there is one.
      socket.once('connect', resolve);
      socket.on('error', reject);
      socket.connect(53, EXTERNAL_IP);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
