import { spawn } from 'node:child_process';
import { CIDR_LABEL } from '../containers/due.ts';
import { dnsWishes } from '../dns/args.ts';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import { collect, type Io, type RunWord } from '../io.ts';
import { formatRequest } from '../ipam/request.ts';
import type { RunCommand } from './command.ts';

/**
 * `docker run -d` by the caller's own client, so that every option of today's Docker works; then attach. Addresses that
 * cannot be had are refused before anything is started; a container that cannot be attached is removed again.
 * @param trace is told of every docker command before it is run
 * @returns docker's status when docker failed, else that of `attach`
 */
export async function runAttached(
  command: RunCommand,
  onHost: RunWord,
  io: Io,
  trace: (line: string) => void = () => {},
): Promise<number> {
  const words = command.requests.map(formatRequest);
  const flags = collect();
  const status = await onHost(['prepare-run', ...dnsWords(command), ...words], { ...io, stdout: flags });
  if (status !== 0) return status;
  const dns = flags.text.trim().split(/\s+/).filter(Boolean);
  // The label makes the container wait for its address before it is registered, and get it back at every start.
  const ours = ['run', ...dns, '--label', `${CIDR_LABEL}=${words.join(',')}`, '-d'];
  // What follows is the caller's, and may hold secrets: -e PASSWORD=…
  trace(`docker ${ours.join(' ')} …`);
  const started = await docker([...ours, ...command.dockerArgs], io);
  if (started.status !== 0) return started.status;
  const id = started.stdout.trim().split('\n').at(-1) ?? '';
  const complaints = collect();
  const attached = await attach([...command.attachFlags, ...words, id], onHost, complaints);
  if (attached !== 0) {
    const removal = ['rm', '-f', '-v', id];
    trace(`docker ${removal.join(' ')}`);
    await docker(removal, { ...io, stdout: collect() });
    io.stderr.write(complaints.text);
    io.stderr.write('heddle: the container was removed again, because it could not be attached\n');
    return attached;
  }
  io.stdout.write(command.json ? `${JSON.stringify({ container: id }, null, 2)}\n` : `${id}\n`);
  return 0;
}

async function attach(
  words: readonly string[],
  onHost: RunWord,
  complaints: ReturnType<typeof collect>,
): Promise<number> {
  try {
    return await onHost(['attach', ...words], { stdout: collect(), stderr: complaints });
  } catch (error) {
    complaints.write(`heddle: ${messageOf(error)}\n`);
    return error instanceof HeddleError ? error.exitStatus : 1;
  }
}

/** Docker's own arguments stay here: the host need not know them, and they may hold secrets. */
function dnsWords({ withDns, dockerArgs }: RunCommand): string[] {
  const wishes = dnsWishes(dockerArgs);
  if (!withDns || !wishes.resolver) return [];
  return ['--with-dns', ...(wishes.search ? [] : ['--own-search'])];
}

function docker(args: readonly string[], io: Io): Promise<{ status: number; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => io.stderr.write(chunk.toString('utf8')));
    child.once('error', (cause) => {
      const missing = systemCode(cause) === 'ENOENT';
      const what = missing
        ? "there is no 'docker' command on PATH; install the docker client"
        : messageOf(cause);
      reject(
        new HeddleError(missing ? 'not-found' : 'failed', `cannot start docker run: ${what}`, { cause }),
      );
    });
    child.once('close', (code) =>
      resolve({ status: code ?? 1, stdout: Buffer.concat(stdout).toString('utf8') }),
    );
  });
}
