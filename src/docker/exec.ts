import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type Dockerode from 'dockerode';
import { HeddleError } from '../errors.ts';
import { statusOf, stopSignal } from '../runtime/signals.ts';
import type { DockerClient } from './client.ts';

/** As long as a timer can take. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Where the output of a command in a container goes. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a command in a running container and passes its streams on.
 * @returns the command's exit status
 */
export async function execIn(
  docker: DockerClient,
  container: string,
  command: readonly string[],
  streams: Streams,
): Promise<number> {
  const exec = await docker.call('prepare a command', (client) =>
    client.getContainer(container).exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true }),
  );
  const stream = await docker.call('run a command', () => exec.start({ hijack: true, stdin: false }));
  await passOn(docker, stream, streams);
  const { ExitCode: status } = await docker.call('ask for the exit status', () => exec.inspect());
  return status ?? 1;
}

/**
 * Creates a container, passes its streams on until it ends, and removes it again whatever happens, SIGINT and SIGTERM
 * among it.
 * @returns its exit status, or the signal's
 */
export async function runOnce(
  docker: DockerClient,
  options: Dockerode.ContainerCreateOptions,
  streams: Streams,
): Promise<number> {
  const signal = stopSignal();
  try {
    const container = await docker.call('create a container', (client) => client.createContainer(options));
    try {
      return await Promise.race([toItsEnd(docker, container, streams), signal.first.then(statusOf)]);
    } finally {
      await docker.call('remove a container', () => container.remove({ force: true, v: true }));
    }
  } finally {
    signal.forget();
  }
}

async function toItsEnd(
  docker: DockerClient,
  container: Dockerode.Container,
  streams: Streams,
): Promise<number> {
  const stream = await docker.call('attach to a container', () =>
    container.attach({ stream: true, stdout: true, stderr: true }),
  );
  await docker.call('start a container', () => container.start());
  await passOn(docker, stream, streams);
  const { StatusCode: status } = await docker.call(
    'wait for a container',
    (): Promise<{ StatusCode: number }> => container.wait(),
    LONGEST_WAIT_MS,
  );
  return status;
}

export async function hasImage(docker: DockerClient, image: string): Promise<boolean> {
  try {
    await docker.call(`inspect the image '${image}'`, (client) => client.getImage(image).inspect());
    return true;
  } catch (error) {
    if (error instanceof HeddleError && error.code === 'not-found') return false;
    throw error;
  }
}

async function passOn(
  docker: DockerClient,
  stream: NodeJS.ReadableStream,
  { stdout, stderr }: Streams,
): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    stream.once('end', resolve).once('close', resolve).once('error', reject);
  });
  await docker.call("read a command's output", async (client) =>
    client.modem.demuxStream(stream, textSink(stdout), textSink(stderr)),
  );
  await ended;
}

function textSink(sink: { write(text: string): unknown }): Writable {
  const decoder = new StringDecoder('utf8');
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      sink.write(decoder.write(chunk));
      done();
    },
  });
}
