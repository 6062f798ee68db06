import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { FrameReader, frame } from '../../src/dns/wire/frames.ts';

/** The reply of the server at a port of 127.0.0.1 to one packet. @throws Error where there is none within five seconds */
export function exchange(port: number, packet: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer> {
  return transport === 'udp' ? overUdp(port, packet) : overTcp(port, packet);
}

async function overUdp(port: number, packet: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(packet, port, '127.0.0.1');
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    return reply;
  } finally {
    socket.close();
  }
}

async function overTcp(port: number, packet: Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const frames = new FrameReader(65_535);
  socket.end(frame(packet));
  for await (const chunk of socket) {
    const [reply] = frames.push(chunk);
    if (reply) return reply;
  }
  throw new Error(`the server at port ${port} closed the connection without an answer`);
}
