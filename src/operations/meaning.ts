import type { ZoneAnswer } from '../dns/zone-answer.ts';
import { isContainer } from '../docker/container-name.ts';
import { EXPOSED } from '../ipam/claims.ts';
import { announcement } from './announcement.ts';
import { type Explanation, explain, parseServiceQuery } from './explanation.ts';
import type { ContainerReport, HostOperations, NamesReport } from './host-operations.ts';

/** A container that a word means: by its name, its id, its address, or a name that it is answered under. */
export interface MatchedContainer {
  readonly container: string;
  readonly containerName: string;
  /** Which address and why, or why it is not announced. */
  readonly announced: string;
  readonly isAnnounced: boolean;
  /** In its network, with prefixes left out. */
  readonly addresses: readonly string[];
  /** That it is answered under, in full. */
  readonly names: readonly string[];
  readonly services: readonly string[];
  readonly problems: readonly string[];
}

/** All that is known of a word: as a name or address by DNS, as a service, and as a container. */
export interface Meaning extends Explanation {
  /** What DNS answers; empty without a daemon. */
  readonly asked: readonly ZoneAnswer[];
  readonly containers: readonly MatchedContainer[];
  /** True where the word is, or may be, the name of a service. */
  readonly isService: boolean;
}

type Needs = Pick<
  HostOperations,
  'ask' | 'containers' | 'instances' | 'names' | 'registration' | 'onlyPassing'
>;

/** Finds out what a word means on a host. @throws HeddleError `bad-input` for what is neither name nor address */
export async function meaningOf(word: string, host: Needs): Promise<Meaning> {
  const reports = await host.containers();
  const named = reports.filter((report) => isNamed(report, word));
  // A container may be called what no name can be.
  const all = await host.ask(word).catch((error: unknown) => {
    if (named.length > 0) return [];
    throw error;
  });
  const asked = relevant(all ?? []);
  const names = await host.names();
  const containers = matchContainers(word, asked, { reports, names });
  const isService = all === undefined || asked.some(isServiceAnswer);
  const service = isService ? await explainService(word, reports, host) : undefined;
  const answered = asked.flatMap(({ answers }) => answers);
  const answers = service && service.answers.length > 0 ? service.answers : [...new Set(answered)];
  const own = service ?? { name: word, tag: undefined, here: [], elsewhere: [] };
  return { ...own, answers, asked, containers, isService };
}

async function explainService(
  word: string,
  reports: readonly ContainerReport[],
  host: Needs,
): Promise<Explanation> {
  const name = parseServiceQuery(word);
  return explain(name, reports, await host.instances(name.name), host);
}

/** A service that there may be: what DNS denies for a reason of its own is explained by that. */
const isServiceAnswer = ({ zone, name, why }: ZoneAnswer): boolean =>
  zone === 'service' && why === undefined && /(^|\.)service\.|^_/i.test(name);

/** Where one meaning of the word answers, those that do not are of no interest. */
function relevant(asked: readonly ZoneAnswer[]): readonly ZoneAnswer[] {
  const answering = asked.filter(({ rcode }) => rcode === 'NOERROR');
  return answering.length > 0 ? answering : asked;
}

function matchContainers(
  word: string,
  asked: readonly ZoneAnswer[],
  {
    reports,
    names,
  }: { readonly reports: readonly ContainerReport[]; readonly names: NamesReport | undefined },
): readonly MatchedContainer[] {
  const full = new Set(asked.filter(({ zone }) => zone === 'weave').map(({ name }) => fullName(name, names)));
  const owners = new Set(
    (names?.entries ?? []).filter(({ name }) => full.has(name)).map(({ owner }) => owner),
  );
  return reports
    .filter((report) => {
      const { snapshot, addresses } = report.entry;
      return isNamed(report, word) || owners.has(snapshot.id) || addresses.some(({ ip }) => ip === word);
    })
    .map((report) => describe(report, names));
}

function fullName(name: string, names: NamesReport | undefined): string {
  const lower = name.toLowerCase();
  return names && !lower.includes('.') ? `${lower}.${names.domain}` : lower;
}

const isNamed = ({ entry: { snapshot } }: ContainerReport, word: string): boolean =>
  isContainer(snapshot, word);

function describe(report: ContainerReport, names: NamesReport | undefined): MatchedContainer {
  const { entry, services, problems } = report;
  const { announced, text } = announcement(report);
  const own = (names?.entries ?? []).filter(({ owner }) => owner === entry.snapshot.id && owner !== EXPOSED);
  return {
    container: entry.snapshot.id,
    containerName: entry.snapshot.name,
    announced: text,
    isAnnounced: announced,
    addresses: entry.addresses.map(({ ip }) => ip),
    names: [...new Set(own.map(({ name }) => name))],
    services: [...new Set(services.map(({ name }) => name))],
    problems,
  };
}
