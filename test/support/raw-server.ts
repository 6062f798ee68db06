import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';

/** What a server does with one request, on the connection that it came by. */
export type Deed = (socket: Socket) => void;

/** An answer with a body of this type. */
export function answer(status: string, type: string, body: string, more = ''): Deed {
  const length = Buffer.byteLength(body);
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n${more}\r\n`;
  return (socket) => void socket.write(`${head}${body}`);
}

export const json = (value: unknown): Deed => answer('200 OK', 'application/json', JSON.stringify(value));

/** Writes as fast as it is read, until the connection ends. */
function endlessly(socket: Socket, head: string, piece: string): void {
  socket.write(head);
  const bytes = Buffer.from(piece.repeat(Math.ceil(65_536 / piece.length)));
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

const STREAM = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

/** Observed faults of an engine, a Consul or a proxy in front of them, and worse ones. */
export const MISDEEDS: Readonly<Record<string, Deed>> = {
  'a redirect to a relative path': answer(
    '301 Moved',
    'text/html',
    '<a href="/x">Moved</a>',
    'location: /x\r\n',
  ),
  'a redirect to nonsense': answer('302 Found', 'text/plain', '', 'location: ::::\r\n'),
  'a redirect to itself without a location': answer('301 Moved', 'text/plain', ''),
  'a page of HTML': answer('200 OK', 'text/html', '<html><body>\u001b[31mWelcome</body></html>'),
  'a page of HTML, forbidden': answer('403 Forbidden', 'text/html', '<html><body>No\u001b[31m</body></html>'),
  'an error without a text': answer('500 Internal Server Error', 'application/json', ''),
  'an error whose text is no text': answer('500 Oh', 'application/json', '{"message":{"a":[1]}}'),
  null: json(null),
  'a number': json(5),
  'a text': json('ok'),
  'a list of nothing': json([null, 1, 'x', []]),
  'an object of something else': json({ Id: 5, ID: [], State: 'x', Config: 7, Services: 3, Node: 'x' }),
  'half a JSON': answer('200 OK', 'application/json', '{"Id":"'),
  'nothing at all': answer('204 No Content', 'application/json', ''),
  'half an answer': (socket) =>
    void socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"Id"'),
  'half a head': (socket) => void socket.end('HTTP/1.1 200 O'),
  'no HTTP': (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
  'a head without end': (socket) => endlessly(socket, 'HTTP/1.1 200 OK\r\n', 'x-y: zzzzzzzzzzzzzzzz\r\n'),
  'a reset': (socket) => void socket.destroy(),
  'the end': (socket) => void socket.end(),
  'another protocol': answer(
    '101 Switching Protocols',
    'text/plain',
    '',
    'connection: upgrade\r\nupgrade: x\r\n',
  ),
  'an endless answer': (socket) => endlessly(socket, `${STREAM}\r\n["`, 'x'),
  'an endless error': (socket) =>
    endlessly(socket, 'HTTP/1.1 500 Oh\r\ncontent-type: text/plain\r\n\r\n', 'x'),
};

/** A server on its own socket; the test decides its reaction to each request. */
export class RawServer {
  /** By the first line of the request: `GET /v1.41/info HTTP/1.1`. */
  deed: (request: string) => Deed;
  /** First lines of all requests. */
  readonly asked: string[] = [];
  readonly #folder: TemporaryFolder;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(folder: TemporaryFolder, deed: (request: string) => Deed) {
    this.#folder = folder;
    this.deed = deed;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(deed: (request: string) => Deed): Promise<RawServer> {
    const server = new RawServer(await temporaryFolder(), deed);
    await new Promise<void>((resolve) => server.#server.listen(server.path, resolve));
    return server;
  }

  get path(): string {
    return join(this.#folder.path, 'raw.sock');
  }

  /** Open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    socket.on('data', (bytes) => {
      const [, line] = /^((?:GET|PUT|POST|DELETE|HEAD) \S+) HTTP/.exec(bytes.toString('latin1')) ?? [];
      if (line === undefined) return; // more of a body
      this.asked.push(line);
      this.deed(line)(socket);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#folder[Symbol.asyncDispose]();
  }
}
