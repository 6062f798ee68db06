import { dnsWishes } from '../dns/args.ts';
import { HeddleError, messageOf } from '../errors.ts';
import { type AddressRequest, formatRequest, looksLikeRequest } from '../ipam/request.ts';
import { CIDR_LABEL } from '../ipam/requested.ts';
import { collect, type Io, type RunCommand } from '../runtime/io.ts';
import { printable, printableJson } from '../runtime/printable.ts';
import { ALLOW_OVERLAP, type ParsedRun } from './command.ts';
import { type ContainerEnd, endOf, lastLines } from './container-end.ts';
import { dockerCommand } from './docker-client.ts';
import { metadataRequests } from './metadata-requests.ts';

export interface RunNeeds {
  readonly onHost: RunCommand;
  readonly io: Io;
  /** Of the caller: docker takes variables from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Is told of every docker command before it is run. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Docker's own exit status where the container's program cannot be started. */
const NO_PROGRAM = [126, 127];

/**
 * `docker run -d` by the caller's own client, so that every option of today's Docker works; then attach. Addresses that
 * cannot be had are refused before anything is started. A container that cannot be attached is removed again, and one
 * that has ended by itself is kept for its log.
 * @returns docker's status when docker failed, that of `attach`, or the program's own where it has ended
 */
export async function runAttached(command: ParsedRun, needs: RunNeeds): Promise<number> {
  const { onHost, io, trace } = needs;
  const requests =
    command.requests.length > 0 ? command.requests : await metadataRequests(command.dockerOptions, needs.env);
  refuseUnusedFlag(command, requests);
  const words = requests.map(formatRequest);
  const dns = dnsArguments(command);
  const insisting = command.attachFlags.filter((flag) => flag === ALLOW_OVERLAP);
  const flags = collect();
  if (words.length + dns.length > 0) {
    const status = await onHost(['prepare-run', ...insisting, ...dns, ...words], { ...io, stdout: flags });
    if (status !== 0) return status;
  }
  // The label makes the container wait for its address before it is registered, and get it back at every start. It
  // stands last: what the addresses of the command line say counts.
  const label = words.length > 0 ? ['--label', `${CIDR_LABEL}=${words.join(',')}`] : [];
  const resolver = flags.text.trim().split(/\s+/).filter(Boolean);
  // What is the caller's may hold secrets: -e PASSWORD=…
  trace?.(`docker ${['run', '-d', ...resolver, '…', ...label, '…'].join(' ')}`);
  const started = await dockerCommand(
    ['run', '-d', ...resolver, ...command.dockerOptions, ...label, ...command.imageAndCommand],
    { complaints: io.stderr },
  );
  if (started.status !== 0) {
    if (NO_PROGRAM.includes(started.status)) reportMisplaced(command, io);
    return started.status;
  }
  const id = started.stdout.trim().split('\n').at(-1) ?? '';
  if (!/^[0-9a-f]+$/.test(id)) {
    const printed = printable(id.slice(0, 60));
    throw new HeddleError('failed', `docker run has printed no container's id, but '${printed}'`);
  }
  if (words.length > 0) {
    const complaints = collect();
    const attached = await attach([...command.attachFlags, ...words, id], onHost, complaints);
    if (attached !== 0)
      return await afterFailedAttach(command, id, { status: attached, why: complaints.text }, needs);
  }
  printId(command, id, io);
  return 0;
}

/** @throws HeddleError `bad-input` for flags of an attachment that there will not be */
function refuseUnusedFlag({ attachFlags }: ParsedRun, requests: readonly AddressRequest[]): void {
  const flag = attachFlags.find((name) => name !== '--no-rewrite-hosts');
  if (requests.length > 0 || flag === undefined) return;
  throw new HeddleError('bad-input', `${flag} is for a container with addresses, and this one asks for none`);
}

async function attach(
  words: readonly string[],
  onHost: RunCommand,
  complaints: ReturnType<typeof collect>,
): Promise<number> {
  try {
    return await onHost(['attach', ...words], { stdout: collect(), stderr: complaints });
  } catch (error) {
    complaints.write(`heddle: ${messageOf(error)}\n`);
    return error instanceof HeddleError ? error.exitStatus : 1;
  }
}

async function afterFailedAttach(
  command: ParsedRun,
  id: string,
  attached: { readonly status: number; readonly why: string },
  { io, trace }: RunNeeds,
): Promise<number> {
  const ended = await endOf(id);
  if (ended !== undefined) return await reportEnd(command, id, ended, io);
  const removal = ['rm', '-f', '-v', id];
  trace?.(`docker ${removal.join(' ')}`);
  const removed = await dockerCommand(removal, { complaints: io.stderr });
  io.stderr.write(attached.why);
  io.stderr.write(
    removed.status === 0
      ? 'heddle: the container was removed again, because it could not be attached\n'
      : `heddle: the container could not be removed; it runs without an address: docker rm -f ${id.slice(0, 12)}\n`,
  );
  return attached.status;
}

/** A job that is done sooner than it could be attached has not failed; any other end is the program's own. */
async function reportEnd(command: ParsedRun, id: string, ended: ContainerEnd, io: Io): Promise<number> {
  const { name, status, reason, kept } = ended;
  const how = status === undefined ? 'ended' : `ended with status ${status}`;
  const why = reason === '' ? '' : ` (${reason})`;
  io.stderr.write(`heddle: ${name} ${how}${why} before it could be attached; ${logHint(ended)}\n`);
  const lines = kept ? await lastLines(id) : [];
  for (const line of lines) io.stderr.write(`  ${line}\n`);
  if (status === 0) {
    printId(command, id, io);
    return 0;
  }
  if (status === undefined) return 1;
  reportMisplaced(command, io);
  return status;
}

function logHint({ name, kept, restarts }: ContainerEnd): string {
  if (!kept) return 'docker removed it at its end (--rm), and its log with it';
  if (restarts) return `docker starts it again, and then it gets its address: see docker logs ${name}`;
  return `it is kept: see docker logs ${name}, which ends so:`;
}

/** An address behind the image is an argument of the program, which most often cannot be started with it. */
function reportMisplaced({ imageAndCommand }: ParsedRun, io: Io): void {
  const [image = '', first = '', ...rest] = imageAndCommand.filter((word) => word !== '--');
  if (!looksLikeRequest(first) && first !== '--with-dns') return;
  const order = ['run', first, '…', image, ...rest.slice(0, 1)].join(' ');
  io.stderr.write(`heddle: ${first} stands behind the image and was given to it; the order is ${order}\n`);
}

const printId = ({ json }: ParsedRun, id: string, io: Io): void =>
  void io.stdout.write(json ? `${printableJson({ container: id }, 2)}\n` : `${id}\n`);

/** Docker's own arguments stay here: the host need not know them, and they may hold secrets. */
function dnsArguments({ withDns, dockerOptions }: ParsedRun): string[] {
  const wishes = dnsWishes(dockerOptions);
  if (!withDns || !wishes.resolver) return [];
  return [
    '--with-dns',
    ...(wishes.search ? [] : ['--own-search']),
    ...(wishes.onlyAttached ? ['--only-attached'] : []),
  ];
}
