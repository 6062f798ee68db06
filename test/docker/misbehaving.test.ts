import { describe, expect, it } from 'vitest';
import { DockerClient } from '../../src/docker/client.ts';
import { DockerEngine } from '../../src/docker/engine.ts';
import { EventStream } from '../../src/docker/events.ts';
import { execIn } from '../../src/docker/exec.ts';
import { HeddleError } from '../../src/errors.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { eventually } from '../support/eventually.ts';
import { json, MISDEEDS, RawServer } from '../support/raw-server.ts';
import { containerId } from '../support/snapshot.ts';

const VERSION = json({ ApiVersion: '1.41', MinAPIVersion: '1.12' });
const WEB = { Id: containerId('web'), Name: '/web', State: {}, Config: {} };

const sink = { write: () => {} };
const CALLS: Readonly<Record<string, (client: DockerClient, engine: DockerEngine) => Promise<unknown>>> = {
  'asked for its identity': (_, engine) => engine.info(),
  'asked for its containers': (_, engine) => engine.containers(),
  'asked for a container': (_, engine) => engine.inspect('web'),
  'asked for its bridge': (_, engine) => engine.bridgeDevice(),
  'asked for events': (_, engine) => engine.events(undefined, AbortSignal.timeout(2000)),
  'asked to create a container': (client) => client.call('create', (docker) => docker.createContainer({})),
  'asked to run a command': (client) => execIn(client, 'web', ['true'], { stdout: sink, stderr: sink }),
};

describe.each(Object.entries(MISDEEDS))('an engine that answers with %s', (_, deed) => {
  it.each(Object.entries(CALLS))('%s, fails only that call', async (_, call) => {
    await using server = await RawServer.start((line) => (line === 'GET /version' ? VERSION : deed));
    const client = new DockerClient({ kind: 'unix', path: server.path });
    const outcome = await call(client, new DockerEngine(client)).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (outcome !== undefined) {
      expect(outcome).toBeInstanceOf(HeddleError);
      expect((outcome as HeddleError).message).toMatch(/^[^\p{Cc}]{10,900}$/u);
      expect((outcome as HeddleError).message).not.toContain('<html>');
    }
    // The next call works, and no bytes of the last answer remain.
    server.deed = () => json(WEB);
    expect(await new DockerEngine(client).inspect('web')).toMatchObject({ name: 'web' });
    await eventually(() => expect(server.connections).toBeLessThanOrEqual(2));
  });

  it('asked for its version, causes an error, and works once its answer is right', async () => {
    await using server = await RawServer.start(() => deed);
    const engine = new DockerEngine(new DockerClient({ kind: 'unix', path: server.path }));
    await engine.info().catch((error: unknown) => expect(error).toBeInstanceOf(HeddleError));
    server.deed = (line) => (line === 'GET /version' ? VERSION : json({ ID: 'E1' }));
    expect(await engine.info()).toMatchObject({ id: 'E1' });
  });
});

it('a list with hundreds of megabytes of labels is read like any other', async () => {
  const piece = `"${'x'.repeat(200)}":"${'{'.repeat(1 << 20)}",`;
  await using server = await RawServer.start((line) =>
    line === 'GET /version'
      ? VERSION
      : (socket) => {
          socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n');
          socket.write(`[{"Id":"${WEB.Id}","Labels":{`);
          for (let sent = 0; sent < 100; sent++) socket.write(piece);
          socket.end(`"last":""},"State":"running"}]`);
        },
  );
  const engine = new DockerEngine(new DockerClient({ kind: 'unix', path: server.path }));
  expect(await engine.containers()).toMatchObject([{ id: WEB.Id }]);
});

it('an endless answer is abandoned, and its connection closed', async () => {
  await using server = await RawServer.start((line) => (line === 'GET /version' ? VERSION : () => {}));
  const client = new DockerClient({ kind: 'unix', path: server.path });
  await expect(client.call('wait', (docker) => docker.info(), 50)).rejects.toThrow(/no answer in 0.05 s/);
  await eventually(() => expect(server.connections).toBe(0));
});

describe('a stream of events', () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n';
  const event = (attributes: object) =>
    JSON.stringify({ Type: 'container', Action: 'start', Actor: { ID: WEB.Id, Attributes: attributes } });

  async function followed(text: (write: (piece: string) => void) => void) {
    const server = await RawServer.start((line) =>
      line === 'GET /version'
        ? VERSION
        : (socket) => {
            socket.write(head);
            text((piece) => void socket.write(piece));
          },
    );
    const received: string[] = [];
    const lost: string[] = [];
    const docker = new DockerEngine(new DockerClient({ kind: 'unix', path: server.path }));
    const stream = new EventStream(
      { docker, log: silentLogger },
      {
        subscribed: () => {},
        event: ({ container, action }) => received.push(`${action} ${container.slice(0, 12)}`),
        lost: ({ message }) => lost.push(message),
      },
    );
    stream.start();
    return {
      received,
      lost,
      async [Symbol.asyncDispose]() {
        await stream.stop();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  it('with a container of many megabytes of labels reports its event, and the next one', async () => {
    await using followedStream = await followed((write) =>
      write(`${event({ label: 'x'.repeat(3 << 20) })}\n${event({})}\n`),
    );
    const start = `start ${WEB.Id.slice(0, 12)}`;
    await eventually(() => expect(followedStream.received).toEqual([start, start]));
    expect(followedStream.lost).toEqual([]);
  });

  it('with an endless line is closed, and opened again after a pause', async () => {
    let connections = 0;
    await using followedStream = await followed((write) => {
      connections++;
      for (let sent = 0; sent < 65; sent++) write('x'.repeat(1 << 20));
    });
    await eventually(
      () => expect(followedStream.lost).toEqual([expect.stringMatching(/a line of more than/)]),
      {
        within: 15_000,
      },
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(connections).toBe(1);
  });
});
