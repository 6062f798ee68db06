import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type Dockerode from 'dockerode';
import { hasCode } from '../errors.ts';
import { exitStatusOf, stopSignal } from '../runtime/signals.ts';
import type { DockerClient } from './client.ts';

/** The maximum of a timer. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Receives the output of a command in a container. */
export interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/**
 * Runs a command in a running container and forwards its output.
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
  await pipeOutput(docker, stream, streams);
  const { ExitCode: status } = await docker.call('ask for the exit status', () => exec.inspect());
  return status ?? 1;
}

/**
 * Creates a container and forwards its output until it ends. The container is removed in any case, also after SIGINT
 * and SIGTERM.
 * @returns the container's exit status, or the signal's
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
      return await Promise.race([runToEnd(docker, container, streams), signal.first.then(exitStatusOf)]);
    } finally {
      await docker.call('remove a container', () => container.remove({ force: true, v: true }));
    }
  } finally {
    signal.unsubscribe();
  }
}

async function runToEnd(
  docker: DockerClient,
  container: Dockerode.Container,
  streams: Streams,
): Promise<number> {
  const stream = await docker.call('attach to a container', () =>
    container.attach({ stream: true, stdout: true, stderr: true }),
  );
  await docker.call('start a container', () => container.start());
  await pipeOutput(docker, stream, streams);
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
    if (hasCode(error, 'not-found')) return false;
    throw error;
  }
}

async function pipeOutput(
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
