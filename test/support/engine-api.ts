import http from 'node:http';

const SOCKET = '/var/run/docker.sock';
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/**
 * One request to the world's engine. The docker client would cost more processor time than what is tested or
 * measured with it.
 * @throws Error with the engine's message
 */
export function engineApi(method: string, path: string, body?: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const request = http.request({ socketPath: SOCKET, method, path, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString('utf8');
        if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer}`));
        else resolve(answer === '' ? undefined : JSON.parse(answer));
      });
    });
    request.on('error', reject).end(text);
  });
}
