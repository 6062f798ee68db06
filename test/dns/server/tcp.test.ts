import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { type Respond, TCP_LIMITS, TcpListener } from '../../../src/dns/server/tcp.ts';
import { FrameReader, frame } from '../../../src/dns/wire/frames.ts';
import { eventually } from '../../support/eventually.ts';

const sockets: Socket[] = [];
let listener: TcpListener;

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener.close();
});

const echoed: Respond = async (packet) => packet;

async function listening(limits: Partial<typeof TCP_LIMITS> = {}, respond = echoed): Promise<number> {
  listener = new TcpListener(respond, { ...TCP_LIMITS, ...limits });
  return await listener.listen({ ip: '127.0.0.1', port: 0 });
}

function open(port: number, localAddress = '127.0.0.1', allowHalfOpen = false): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket.resume();
}

const question = (text: string): Buffer => Buffer.from(text.padEnd(12));

/** The reply to a question; undefined if the connection is closed instead. */
function answered(socket: Socket, text = 'question'): Promise<string | undefined> {
  const frames = new FrameReader(65_535);
  socket.write(frame(question(text)));
  return new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      const [first] = frames.push(chunk);
      if (first) resolve(first.toString().trim());
    });
  });
}

const closed = (socket: Socket): Promise<number> => {
  const began = performance.now();
  return new Promise((resolve) => socket.once('close', () => resolve(performance.now() - began)));
};

describe('a client that uses as much as it can', () => {
  test('and sends single bytes slowly is closed like a silent one', async () => {
    const port = await listening({ idleMs: 400 });
    const socket = open(port);
    const drip = setInterval(() => socket.write('\0'), 50);
    try {
      // Two zero bytes announce an empty message, which is not a DNS message.
      socket.write('\x01');
      expect(await closed(socket)).toBeLessThan(5_000);
    } finally {
      clearInterval(drip);
    }
  });

  test.each([
    ['four clients of 200 connections', ['127.0.1.1', '127.0.1.2', '127.0.1.3', '127.0.1.4'], 200],
    ['one client of 300 connections', ['127.0.1.1'], 300],
    [
      '600 clients of one connection',
      Array.from({ length: 600 }, (_, at) => `127.1.${at >> 8}.${at & 255}`),
      1,
    ],
  ])('%s do not keep other clients out', async (_, clients, each) => {
    const port = await listening({ idleMs: 60_000 });
    for (const client of clients) {
      for (let index = 0; index < each; index += 1) open(port, client).write('\0');
    }
    for (let round = 0; round < 5; round += 1) {
      expect(await answered(open(port, '127.0.2.1'), `round ${round}`)).toBe(`round ${round}`);
      await delay(20);
    }
  });

  test('loses its own oldest idle connection, not the one in use, nor those of others', async () => {
    const port = await listening({ connectionsPerClient: 3, idleMs: 60_000 });
    const other = open(port, '127.0.0.2');
    expect(await answered(other)).toBe('question');
    const [first, second, third] = [open(port), open(port), open(port)];
    for (const socket of [first, second, third, first]) expect(await answered(socket)).toBe('question');
    const gone = closed(second);
    expect(await answered(open(port))).toBe('question');
    await gone;
    for (const socket of [first, third, other]) expect(await answered(socket)).toBe('question');
  });

  test('and keeps reopening closed connections has few of them accepted', async () => {
    const port = await listening({ connectionsPerClient: 2, idleMs: 60_000 });
    let closedOnes = 0;
    let isOver = false;
    const reopen = () => {
      if (isOver) return;
      open(port).once('close', () => {
        closedOnes += 1;
        setTimeout(reopen, 1);
      });
    };
    const began = performance.now();
    for (let index = 0; index < 20; index += 1) reopen();
    await delay(1_000);
    isOver = true;
    const seconds = (performance.now() - began) / 1000;
    // 64 at once and 16 per second; without the limit there would be thousands.
    expect(closedOnes).toBeLessThanOrEqual(64 + 16 * (seconds + 0.2));
    expect(closedOnes).toBeGreaterThan(10);
  });

  test('loses a connection that waits for an answer only if it has no idle one', async () => {
    const port = await listening({ connectionsPerClient: 2 }, (packet) =>
      packet.toString().startsWith('slow') ? delay(300, packet) : packet,
    );
    const [waiting, idle] = [open(port), open(port)];
    const slow = answered(waiting, 'slow');
    expect(await answered(idle)).toBe('question');
    const gone = closed(idle);
    expect(await answered(open(port))).toBe('question');
    await gone;
    expect(await slow).toBe('slow');
  });
});

describe('a connection', () => {
  test('is closed when its time is over, after the answers in progress', async () => {
    const port = await listening({ totalMs: 300, idleMs: 5_000 }, (packet) =>
      packet.toString().startsWith('late') ? delay(600, packet) : packet,
    );
    const socket = open(port);
    const late = answered(socket, 'late');
    await delay(100);
    expect(await late).toBe('late');
    socket.end();
    await eventually(() => expect(socket.destroyed).toBe(true));
  });

  test('that keeps asking ends when its time is over', async () => {
    const port = await listening({ totalMs: 300, idleMs: 1_000 });
    const socket = open(port, '127.0.0.1', true);
    const asking = setInterval(() => socket.write(frame(question('more'))), 20);
    try {
      await once(socket, 'end');
      // The connection does not stay half open, either.
      await closed(socket);
    } finally {
      clearInterval(asking);
    }
  });

  test('that is half closed gets its answers first', async () => {
    const port = await listening({}, (packet) => delay(100, packet));
    const socket = open(port);
    const answer = answered(socket, 'before the end');
    socket.end();
    expect(await answer).toBe('before the end');
    await eventually(() => expect(socket.destroyed).toBe(true));
  });

  test('waits for an answer that takes longer than it may be idle', async () => {
    const port = await listening({ idleMs: 100 }, (packet) => delay(500, packet));
    expect(await answered(open(port), 'slow')).toBe('slow');
  });

  test.each([
    ['is no DNS message', frame(Buffer.alloc(11))],
    ['is empty', Buffer.alloc(2)],
    ['is too long', frame(Buffer.alloc(5_000))],
  ])('is closed at what %s', async (_, bytes) => {
    const port = await listening();
    const socket = open(port);
    socket.write(bytes);
    await closed(socket);
  });
});

describe('a flood of pipelined questions', () => {
  test('yields to the event loop in between, so that other clients are served', async () => {
    let [answers, sinceTurn, most, before] = [0, 0, 0, 0];
    const port = await listening({}, (packet, client) => {
      sinceTurn += 1;
      most = Math.max(most, sinceTurn);
      if (client === '127.0.0.8') before = answers;
      answers += 1;
      return packet;
    });
    const turns = async () => {
      while (answers < 8 * 4_000) {
        await setImmediate();
        sinceTurn = 0;
      }
    };
    const flood = Buffer.concat(Array.from({ length: 4_000 }, () => frame(question('flood'))));
    for (let index = 0; index < 8; index += 1) open(port, '127.0.0.9').write(flood);
    const mine = answered(open(port, '127.0.0.8'), 'mine');
    await turns();
    expect(await mine).toBe('mine');
    expect(most).toBeLessThanOrEqual(64);
    // The other client did not wait for the end of the flood.
    expect(before).toBeLessThan(8 * 4_000 - 1);
  });

  test('of one client, on many connections, is answered by shares', async () => {
    let [now, most] = [0, 0];
    const port = await listening({}, async (packet, client) => {
      if (client !== '127.0.0.9') return packet;
      now += 1;
      most = Math.max(most, now);
      await delay(20);
      now -= 1;
      return packet;
    });
    const flood = Buffer.concat(Array.from({ length: 100 }, () => frame(question('flood'))));
    let received = 0;
    for (let index = 0; index < 10; index += 1) {
      const frames = new FrameReader(65_535);
      const socket = open(port, '127.0.0.9');
      socket.on('data', (chunk) => {
        received += frames.push(chunk).length;
      });
      socket.write(flood);
    }
    expect(await answered(open(port, '127.0.0.8'), 'mine')).toBe('mine');
    await eventually(() => expect(received).toBe(1_000));
    expect(most).toBeLessThanOrEqual(128);
    expect(most).toBeGreaterThan(64);
  });

  test('whose answers are not read buffers no more of them than its share', async () => {
    let answers = 0;
    const large = Buffer.alloc(60_000);
    const port = await listening({ idleMs: 1_000 }, async () => {
      answers += 1;
      return large;
    });
    const flood = Buffer.concat(Array.from({ length: 1_000 }, () => frame(question('flood'))));
    const mute = Array.from({ length: 20 }, () => open(port, '127.0.0.9').pause());
    // A client that does not read notices the closed connection when it writes.
    const pouring = setInterval(() => {
      for (const socket of mute) socket.write(flood);
    }, 200);
    await Promise.all(mute.map(closed));
    clearInterval(pouring);
    // The kernel buffers some megabytes for each connection, and heddle one megabyte; not 20,000 answers.
    expect(answers).toBeLessThan(20 * 150);
  });
});
