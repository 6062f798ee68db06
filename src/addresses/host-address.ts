import { createSocket } from 'node:dgram';

/** TEST-NET-1 (RFC 5737): connecting a datagram socket sends nothing, it only asks the routing table. */
const SOMEWHERE_ELSE = '192.0.2.1';

/** The address this host talks to others from: the source address of its default route, if it has one. */
export function defaultRouteAddress(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (address: string | undefined) => {
      socket.close();
      resolve(address);
    };
    socket.once('error', () => end(undefined));
    socket.connect(53, SOMEWHERE_ELSE, () => end(socket.address().address));
  });
}
