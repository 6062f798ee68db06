import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';
import { UdpListener } from '../../../src/dns/server/udp.ts';

vi.mock('koffi', () => {
  throw new Error('no build for this platform');
});

test('without koffi, questions are received one by one', async () => {
  const listener = new UdpListener((packet) => Buffer.from(packet), { batched: true });
  const port = await listener.listen({ ip: '127.0.0.1', port: 0 });
  expect(listener.isBatched).toBe(false);
  const client = createSocket('udp4');
  client.send('hello', port, '127.0.0.1');
  const [reply] = (await once(client, 'message')) as [Buffer];
  expect(String(reply)).toBe('hello');
  client.close();
  await listener.close();
});
