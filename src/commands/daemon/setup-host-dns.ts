import type { LoadedSettings } from '../../config/load.ts';
import type { DockerClient } from '../../docker/client.ts';
import { HeddleError, messageOf } from '../../errors.ts';
import { answersAt, applyPlan, hostAnswers, reversedPlan } from '../../host-dns/apply.ts';
import type { Plan, Target } from '../../host-dns/plan.ts';
import { planSetup, planUndo } from '../../host-dns/setup.ts';
import { localHost } from '../../operations/local-host.ts';
import type { Io } from '../../runtime/io.ts';
import { printResult } from '../syntax/format.ts';

export interface HostDnsOptions {
  readonly undo: boolean;
  /** Only shows what would change. */
  readonly dryRun: boolean;
  /** `json`, or text. */
  readonly format?: unknown;
}

/**
 * `setup --host-dns`: makes this host ask heddle for names, or undoes that. Every change is shown before it is made. A
 * change is undone if this host does not answer heddle's names afterwards.
 */
export async function hostDns(
  settings: LoadedSettings,
  client: DockerClient,
  io: Io,
  options: HostDnsOptions,
): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new HeddleError(
      'not-permitted',
      'setup --host-dns changes the resolver of this host; run it as root',
    );
  }
  const print = (text: string) => void (options.format !== 'json' && io.stdout.write(text));
  const done = options.undo
    ? await undo(options, print)
    : await configure(await findTarget(settings, client), settings.domain, options, print);
  if (options.format === 'json') printResult(io, options, '', done);
  return 0;
}

/** What was done, or would be done with --dry-run. It is printed as JSON as it stands. */
interface Outcome {
  readonly dryRun: boolean;
  readonly changes: readonly ReturnType<typeof changeReport>[];
  /** The server that this host asks, and for which domains; null after an undo. */
  readonly asks: Target | null;
}

type Print = (text: string) => void;

async function configure(
  target: Target,
  domain: string,
  { dryRun }: HostDnsOptions,
  print: Print,
): Promise<Outcome> {
  const plan = await planSetup(target);
  print(describe(plan));
  const done = { dryRun, changes: [changeReport(plan)], asks: target };
  if (dryRun) return done;
  await applyPlan(plan);
  try {
    await hostAnswers(domain);
  } catch (error) {
    await applyPlan(reversedPlan(plan));
    throw new HeddleError('failed', `${messageOf(error)}; all changes were undone`, { cause: error });
  }
  print(`this host asks heddle at ${target.address} for ${target.domains.join(', ')}\n`);
  return done;
}

async function undo({ dryRun }: HostDnsOptions, print: Print): Promise<Outcome> {
  const plans = await planUndo();
  for (const plan of plans) {
    print(describe(plan));
    if (!dryRun) await applyPlan(plan);
  }
  if (plans.length === 0) print('the resolver of this host has no changes by heddle\n');
  else if (!dryRun) print('the resolver of this host is restored\n');
  return { dryRun, changes: plans.map(changeReport), asks: null };
}

/** @throws HeddleError `refused` if heddle does not answer: this host would be without names */
async function findTarget(settings: LoadedSettings, client: DockerClient): Promise<Target> {
  const { domain, altDomain, weaveDomain } = settings;
  const address = await findAddress(settings, client);
  if (!(await answersAt(address, domain))) {
    throw new HeddleError(
      'refused',
      `heddle does not answer names of ${domain} at ${address}, port 53; start heddle daemon there first`,
    );
  }
  return { address, domains: [domain, weaveDomain, ...(altDomain === undefined ? [] : [altDomain])] };
}

/** An address of --dns-listen, which does not depend on Docker; else the address of Docker's bridge. */
async function findAddress(settings: LoadedSettings, client: DockerClient): Promise<string> {
  const listen = settings.dnsListen.find(({ ip, port }) => port === 53 && !['0.0.0.0', '::'].includes(ip));
  if (listen) return listen.ip;
  if (!client.address.startsWith('unix:')) {
    throw new HeddleError(
      'refused',
      `setup --host-dns changes the host it runs on, but DOCKER_HOST names the engine ${client.address}; unset it`,
    );
  }
  const resolver = await (await localHost(settings, client)).resolver();
  if (resolver) return resolver.address;
  throw new HeddleError(
    'refused',
    'with --no-dns heddle answers on no bridge; give the daemon and this command a --dns-listen with port 53',
  );
}

/** The change of one file, in the form of `diff`. */
function describe(plan: Plan): string {
  const { resolver, path, removed, added, command } = changeReport(plan);
  if (plan.change.before === plan.change.after) return `${resolver}: ${path} unchanged\n`;
  const lines = [
    `${resolver}: ${path}`,
    ...removed.map((line) => `- ${line}`),
    ...added.map((line) => `+ ${line}`),
    ...(command ? [`then: ${command.join(' ')}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The lines removed from one file and added to it, without the common lines at its start and end. */
function changeReport({ resolver, change: { path, before, after }, command }: Plan) {
  const [old, now] = [before?.split('\n') ?? [], after?.split('\n') ?? []];
  let [start, end] = [0, 0];
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const removed = old.slice(start, old.length - end);
  const added = now.slice(start, now.length - end);
  return { resolver, path, removed, added, command: command ?? null };
}
