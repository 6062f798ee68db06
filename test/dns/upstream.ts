import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket as NetSocket, type Server } from 'node:net';
import dnsPacket, { type Answer, type DecodedPacket } from 'dns-packet';
import type { Upstream } from '../../src/dns/forward/upstreams.ts';
import { FrameReader, frame } from '../../src/dns/wire/frames.ts';

/** How an upstream server answers one UDP query; every returned message is sent back. */
export type Behaviour = (query: DecodedPacket, from: RemoteInfo) => readonly Buffer[];

/** A resolver on loopback that behaves, or misbehaves, as a test defines. */
export class FakeUpstream implements AsyncDisposable {
  readonly address: Upstream;
  /** Every received query, over UDP and TCP. */
  readonly seen: {
    readonly query: DecodedPacket;
    readonly transport: 'udp' | 'tcp';
    readonly port: number;
  }[] = [];
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #connections = new Set<NetSocket>();

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.address = { ip: udp.address().address, port: udp.address().port };
  }

  /**
   * `overTcp` answers TCP queries, or not at all; without it connections are closed unanswered.
   * @param at where it listens; by default a free port of 127.0.0.1
   */
  static async start(
    overUdp: Behaviour,
    overTcp?: (query: DecodedPacket) => Buffer | undefined,
    at?: Upstream,
  ): Promise<FakeUpstream> {
    const { tcp, udp } = await onePort(at);
    const upstream = new FakeUpstream(udp, tcp);
    udp.on('message', (packet, from) => {
      const query = decoded(packet);
      if (!query) return;
      upstream.seen.push({ query, transport: 'udp', port: from.port });
      for (const reply of overUdp(query, from)) udp.send(reply, from.port, from.address);
    });
    tcp.on('connection', (socket) => {
      upstream.#connections.add(socket);
      socket.on('close', () => upstream.#connections.delete(socket));
      const frames = new FrameReader(65_535);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        for (const message of frames.push(chunk)) {
          const query = decoded(message);
          if (!query) continue;
          upstream.seen.push({ query, transport: 'tcp', port: socket.remotePort ?? 0 });
          const reply = overTcp?.(query);
          if (reply) socket.end(frame(reply));
          else if (!overTcp) socket.destroy();
        }
      });
    });
    return upstream;
  }

  /** Sends a message to one of our ports, whether or not it was asked. */
  send(message: Buffer, port: number): void {
    this.#udp.send(message, port, '127.0.0.1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [once(this.#udp, 'close'), once(this.#tcp, 'close')];
    this.#udp.close();
    this.#tcp.close();
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(closed);
  }
}

/** Undefined for a query that dns-packet cannot decode: some resolvers send such queries. */
function decoded(message: Buffer): DecodedPacket | undefined {
  try {
    return dnsPacket.decode(message);
  } catch {
    return undefined;
  }
}

/** A reply to a query with these answers, as dns-packet writes it. */
export function replyTo(
  query: DecodedPacket,
  answers: readonly Partial<Answer>[],
  { flags = 0, rcode = 0 }: { readonly flags?: number; readonly rcode?: number } = {},
): Buffer {
  const opt = query.additionals?.find((record) => record.type === 'OPT');
  return dnsPacket.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | flags | rcode,
    questions: query.questions ?? [],
    answers: answers.map((answer) => ({ name: query.questions?.[0]?.name, ttl: 300, ...answer })) as Answer[],
    additionals: opt ? [{ ...opt, udpPayloadSize: 1232 }] : [],
  });
}

/** This many A records, from 203.0.113.0 on. */
export function manyAddresses(count: number): Partial<Answer>[] {
  return Array.from({ length: count }, (_, index) => ({
    type: 'A',
    data: `203.0.${113 + (index >> 8)}.${index & 255}`,
  }));
}

/** One port for UDP and TCP; if another test uses the TCP port for UDP, another port is drawn. */
async function onePort(
  at: Upstream = { ip: '127.0.0.1', port: 0 },
  draws = 10,
): Promise<{ tcp: Server; udp: Socket }> {
  const tcp = createServer();
  tcp.listen(at.port, at.ip);
  await once(tcp, 'listening');
  const udp = createSocket('udp4');
  udp.bind((tcp.address() as { port: number }).port, at.ip);
  try {
    await once(udp, 'listening');
    return { tcp, udp };
  } catch (error) {
    tcp.close();
    udp.close();
    if (draws === 1) throw error;
    return onePort(at, draws - 1);
  }
}
