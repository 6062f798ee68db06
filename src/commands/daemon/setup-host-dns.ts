import type { LoadedSettings } from '../../config/load.ts';
import type { DockerClient } from '../../docker/client.ts';
import { HeddleError, messageOf } from '../../errors.ts';
import { answersAt, applyPlan, hostAnswers, reversed } from '../../host-dns/apply.ts';
import type { Plan, Target } from '../../host-dns/plan.ts';
import { planSetup, planUndo } from '../../host-dns/setup.ts';
import { localHost } from '../../operations/local-host.ts';
import type { Io } from '../../runtime/io.ts';
import { answer } from '../syntax/format.ts';

export interface HostDnsOptions {
  readonly undo: boolean;
  /** Only shows what would be changed. */
  readonly dryRun: boolean;
  /** `json`, or text. */
  readonly format?: unknown;
}

/**
 * `setup --host-dns`: makes this very host ask heddle, or no longer. Every change is shown before it is made; one that
 * does not have the host answer our names is taken back.
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
  const say = (text: string) => void (options.format !== 'json' && io.stdout.write(text));
  const done = options.undo
    ? await takeBack(options, say)
    : await change(await targetOf(settings, client), settings.domain, options, say);
  if (options.format === 'json') answer(io, options, '', done);
  return 0;
}

/** What was done, or with --dry-run would be; also its JSON form. */
interface Done {
  readonly dryRun: boolean;
  readonly changes: readonly ReturnType<typeof changeReport>[];
  /** Whom this host asks for which domains; null where it asks as it did before. */
  readonly asks: Target | null;
}

type Say = (text: string) => void;

async function change(target: Target, domain: string, { dryRun }: HostDnsOptions, say: Say): Promise<Done> {
  const plan = await planSetup(target);
  say(describe(plan));
  const done = { dryRun, changes: [changeReport(plan)], asks: target };
  if (dryRun) return done;
  await applyPlan(plan);
  try {
    await hostAnswers(domain);
  } catch (error) {
    await applyPlan(reversed(plan));
    throw new HeddleError('failed', `${messageOf(error)}; everything is as it was`, { cause: error });
  }
  say(`this host asks heddle at ${target.address} for ${target.domains.join(', ')}\n`);
  return done;
}

async function takeBack({ dryRun }: HostDnsOptions, say: Say): Promise<Done> {
  const plans = await planUndo();
  for (const plan of plans) {
    say(describe(plan));
    if (!dryRun) await applyPlan(plan);
  }
  if (plans.length === 0) say('nothing of heddle is in the resolver of this host\n');
  else if (!dryRun) say('this host asks as it did before\n');
  return { dryRun, changes: plans.map(changeReport), asks: null };
}

/** @throws HeddleError `refused` where heddle does not answer: the host would be without names */
async function targetOf(settings: LoadedSettings, client: DockerClient): Promise<Target> {
  const { domain, altDomain, weaveDomain } = settings;
  const address = await addressOf(settings, client);
  if (!(await answersAt(address, domain))) {
    throw new HeddleError(
      'refused',
      `heddle does not answer names of ${domain} at ${address}, port 53; start heddle daemon there first`,
    );
  }
  return { address, domains: [domain, weaveDomain, ...(altDomain === undefined ? [] : [altDomain])] };
}

/** An address of --dns-listen, which does not wait for Docker; else that of Docker's bridge. */
async function addressOf(settings: LoadedSettings, client: DockerClient): Promise<string> {
  const listen = settings.dnsListen.find(({ ip, port }) => port === 53 && !['0.0.0.0', '::'].includes(ip));
  if (listen) return listen.ip;
  if (!client.address.startsWith('unix:')) {
    throw new HeddleError(
      'refused',
      `setup --host-dns changes the host it is run on, and DOCKER_HOST names the engine ${client.address}`,
    );
  }
  const resolver = await (await localHost(settings, client)).resolver();
  if (resolver) return resolver.address;
  throw new HeddleError(
    'refused',
    'with --no-dns heddle answers on no bridge; give the daemon and this word a --dns-listen with port 53',
  );
}

/** What is changed, as `diff` shows it. */
function describe(plan: Plan): string {
  const { resolver, path, removed, added, command } = changeReport(plan);
  if (plan.change.before === plan.change.after) return `${resolver}: ${path} is so already\n`;
  const lines = [
    `${resolver}: ${path}`,
    ...removed.map((line) => `- ${line}`),
    ...added.map((line) => `+ ${line}`),
    ...(command ? [`then: ${command.join(' ')}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The lines that one file loses and gets, between those that stay at its begin and end. */
function changeReport({ resolver, change: { path, before, after }, command }: Plan) {
  const [old, now] = [before?.split('\n') ?? [], after?.split('\n') ?? []];
  let [start, end] = [0, 0];
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const removed = old.slice(start, old.length - end);
  const added = now.slice(start, now.length - end);
  return { resolver, path, removed, added, command: command ?? null };
}
