import { dnsPreferences } from '../dns/args.ts';
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
  /** The caller's environment: docker reads variables from it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called with every docker command before it runs. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Docker's own exit status where the container's program cannot be started. */
const NO_PROGRAM = [126, 127];

/**
 * Runs `docker run -d` with the caller's own client, so that every option of today's Docker works, then attaches.
 * An address that is not available fails the command before anything starts. A container that cannot be attached is
 * removed again; one that has ended by itself is kept for its log.
 * @returns docker's status if docker failed, the container's own if it has ended, else the status of `attach`
 */
export async function runAttached(command: ParsedRun, needs: RunNeeds): Promise<number> {
  const { onHost, io, trace } = needs;
  const requests =
    command.requests.length > 0 ? command.requests : await metadataRequests(command.dockerOptions, needs.env);
  refuseUnusedFlag(command, requests);
  const addresses = requests.map(formatRequest);
  const dns = dnsArguments(command);
  const overlap = command.attachFlags.filter((flag) => flag === ALLOW_OVERLAP);
  const flags = collect();
  if (addresses.length + dns.length > 0) {
    const status = await onHost(['prepare-run', ...overlap, ...dns, ...addresses], { ...io, stdout: flags });
    if (status !== 0) return status;
  }
  // With the label, the daemon registers the container only when it has its address, and assigns that address at
  // every start. The label stands last, so that the addresses of the command line win.
  const label = addresses.length > 0 ? ['--label', `${CIDR_LABEL}=${addresses.join(',')}`] : [];
  const resolver = flags.text.trim().split(/\s+/).filter(Boolean);
  // The caller's own options may hold secrets (-e PASSWORD=…), so the trace omits them.
  trace?.(`docker ${['run', '-d', ...resolver, '…', ...label, '…'].join(' ')}`);
  const started = await dockerCommand(
    ['run', '-d', ...resolver, ...command.dockerOptions, ...label, ...command.imageAndCommand],
    { errors: io.stderr },
  );
  if (started.status !== 0) {
    if (NO_PROGRAM.includes(started.status)) reportMisplaced(command, io);
    return started.status;
  }
  const id = started.stdout.trim().split('\n').at(-1) ?? '';
  if (!/^[0-9a-f]+$/.test(id)) {
    const printed = printable(id.slice(0, 60));
    throw new HeddleError('failed', `docker run printed no container id, but '${printed}'`);
  }
  if (addresses.length > 0) {
    const errors = collect();
    const status = await attach([...command.attachFlags, ...addresses, id], onHost, errors);
    if (status !== 0) return await afterFailedAttach(command, id, { status, why: errors.text }, needs);
  }
  printId(command, id, io);
  return 0;
}

/** @throws HeddleError `bad-input` for a flag of `attach` when there will be no attachment */
function refuseUnusedFlag({ attachFlags }: ParsedRun, requests: readonly AddressRequest[]): void {
  const flag = attachFlags.find((name) => name !== '--no-rewrite-hosts');
  if (requests.length > 0 || flag === undefined) return;
  throw new HeddleError(
    'bad-input',
    `${flag} is for a container with addresses, and this one requests no address`,
  );
}

async function attach(
  args: readonly string[],
  onHost: RunCommand,
  errors: ReturnType<typeof collect>,
): Promise<number> {
  try {
    return await onHost(['attach', ...args], { stdout: collect(), stderr: errors });
  } catch (error) {
    errors.write(`heddle: ${messageOf(error)}\n`);
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
  const removed = await dockerCommand(removal, { errors: io.stderr });
  io.stderr.write(attached.why);
  io.stderr.write(
    removed.status === 0
      ? 'heddle: the container was removed again, because it could not be attached\n'
      : `heddle: the container could not be removed and runs without an address: docker rm -f ${id.slice(0, 12)}\n`,
  );
  return attached.status;
}

/** A container that ends with status 0 before it is attached has not failed. Any other status is passed on. */
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
  if (!kept) return 'docker removed it and its log at its end (--rm)';
  if (restarts) return `docker starts it again, and then it gets its address: see docker logs ${name}`;
  return `it is kept: see docker logs ${name}, which ends with:`;
}

/** Explains an address after the image: it is an argument of the program, which usually cannot start with it. */
function reportMisplaced({ imageAndCommand }: ParsedRun, io: Io): void {
  const [image = '', first = '', ...rest] = imageAndCommand.filter((argument) => argument !== '--');
  if (!looksLikeRequest(first) && first !== '--with-dns') return;
  const order = ['run', first, '…', image, ...rest.slice(0, 1)].join(' ');
  io.stderr.write(
    `heddle: ${first} stands after the image, so it was passed to the program; the order is ${order}\n`,
  );
}

const printId = ({ json }: ParsedRun, id: string, io: Io): void =>
  void io.stdout.write(json ? `${printableJson({ container: id }, 2)}\n` : `${id}\n`);

/** Docker's own arguments are not sent to the host: it does not need them, and they may hold secrets. */
function dnsArguments({ withDns, dockerOptions }: ParsedRun): string[] {
  const preferences = dnsPreferences(dockerOptions);
  if (!withDns || !preferences.resolver) return [];
  return [
    '--with-dns',
    ...(preferences.search ? [] : ['--own-search']),
    ...(preferences.onlyAttached ? ['--only-attached'] : []),
  ];
}
