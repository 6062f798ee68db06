import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import dnsPacket from 'dns-packet';
import { queryBytes } from '../dns/ask.ts';

/** In ms; more than the two seconds that heddle waits for a Consul that hangs. */
const PATIENCE_MS = 3000;

/**
 * Asks for many services at once, over UDP.
 * @returns `name address` for each address, sorted; names without an answer give nothing
 * @throws Error when questions stay without a reply
 */
export async function answersTo(port: number, services: readonly string[]): Promise<string[]> {
  const socket = createSocket('udp4');
  const found: string[] = [];
  let open = services.length;
  const answered = Promise.withResolvers<void>();
  socket.on('message', (bytes) => {
    const { id = 0, answers = [] } = dnsPacket.decode(bytes);
    for (const answer of answers) {
      if (answer.type === 'A') found.push(`${services[id]} ${answer.data}`);
    }
    if (--open === 0) answered.resolve();
  });
  socket.on('error', answered.reject);
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const late = setTimeout(
    () => answered.reject(new Error(`${open} of ${services.length} questions at port ${port} have no reply`)),
    PATIENCE_MS,
  );
  try {
    for (const [id, service] of services.entries()) {
      socket.send(queryBytes(`${service}.service.dc1.consul`, 'A', { id }));
    }
    if (services.length > 0) await answered.promise;
  } finally {
    clearTimeout(late);
    socket.close();
  }
  return found.sort();
}
