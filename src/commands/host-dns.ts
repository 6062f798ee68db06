import type { LoadedSettings } from '../config/load.ts';
import { localHost } from '../control/local.ts';
import type { DockerClient } from '../docker/client.ts';
import { HeddleError, messageOf } from '../errors.ts';
import { answersAt, carryOut, hostAnswers, reversed } from '../host-dns/carry-out.ts';
import { planSetup, planUndo } from '../host-dns/choose.ts';
import type { Plan, Target } from '../host-dns/plan.ts';
import type { Io } from '../io.ts';

export interface HostDnsOptions {
  readonly undo: boolean;
  /** Only shows what would be changed. */
  readonly dryRun: boolean;
}

/**
 * `setup --host-dns`: makes this very host ask heddle, or no longer. Every change is shown before it is made; one that
 * does not have the host answer our names is taken back.
 */
export async function hostDns(
  settings: LoadedSettings,
  client: DockerClient,
  io: Io,
  { undo, dryRun }: HostDnsOptions,
): Promise<number> {
  if (process.getuid?.() !== 0) {
    throw new HeddleError(
      'not-permitted',
      'setup --host-dns changes the resolver of this host; run it as root',
    );
  }
  if (undo) return await takeBack(io, dryRun);
  const { domain } = settings;
  const target = await targetOf(settings, client);
  const plan = await planSetup(target);
  io.stdout.write(describe(plan));
  if (dryRun) return 0;
  await carryOut(plan);
  try {
    await hostAnswers(domain);
  } catch (error) {
    await carryOut(reversed(plan));
    throw new HeddleError('failed', `${messageOf(error)}; everything is as it was`, { cause: error });
  }
  io.stdout.write(`this host asks heddle at ${target.address} for ${target.domains.join(', ')}\n`);
  return 0;
}

async function takeBack(io: Io, dryRun: boolean): Promise<number> {
  const plans = await planUndo();
  for (const plan of plans) {
    io.stdout.write(describe(plan));
    if (!dryRun) await carryOut(plan);
  }
  if (plans.length === 0) io.stdout.write('nothing of heddle is in the resolver of this host\n');
  else if (!dryRun) io.stdout.write('this host asks as it did before\n');
  return 0;
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
  const resolver = await localHost(settings, client).resolver();
  if (resolver) return resolver.address;
  throw new HeddleError(
    'refused',
    'with --no-dns heddle answers on no bridge; give the daemon and this word a --dns-listen with port 53',
  );
}

/** What is changed, as `diff` shows it. */
function describe({ resolver, change, command }: Plan): string {
  const { path, before, after } = change;
  if (before === after) return `${resolver}: ${path} is so already\n`;
  const [old, now] = [before?.split('\n') ?? [], after?.split('\n') ?? []];
  let [start, end] = [0, 0];
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const lines = [
    `${resolver}: ${path}`,
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...now.slice(start, now.length - end).map((line) => `+ ${line}`),
    ...(command ? [`then: ${command.join(' ')}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
