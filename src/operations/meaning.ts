import type { ZoneAnswer } from '../dns/zone-answer.ts';
import { isContainer } from '../docker/container-name.ts';
import { EXPOSED } from '../ipam/claims.ts';
import { announcement } from './announcement.ts';
import { type Explanation, explain, parseServiceQuery } from './explanation.ts';
import type { ContainerReport, HostOperations, NamesReport } from './host-operations.ts';

/** A container that matches the term to explain: by its name, its id, its address, or one of its DNS names. */
export interface MatchedContainer {
  readonly container: string;
  readonly containerName: string;
  /** The announced address and why, or why none is announced. */
  readonly announced: string;
  readonly isAnnounced: boolean;
  /** In its network namespace, without prefix lengths. */
  readonly addresses: readonly string[];
  /** Its DNS names, fully qualified. */
  readonly names: readonly string[];
  readonly services: readonly string[];
  readonly problems: readonly string[];
}

/** Everything about a term: as a name or address in DNS, as a service, and as a container. */
export interface Meaning extends Explanation {
  /** What DNS answers; empty without a daemon. */
  readonly asked: readonly ZoneAnswer[];
  readonly containers: readonly MatchedContainer[];
  /** True when the term is, or may be, the name of a service. */
  readonly isService: boolean;
}

type Needs = Pick<
  HostOperations,
  'ask' | 'containers' | 'instances' | 'names' | 'registration' | 'onlyPassing'
>;

/**
 * Finds everything that a term refers to on a host.
 * @throws HeddleError `bad-input` for a term that is neither a name nor an address
 */
export async function meaningOf(term: string, host: Needs): Promise<Meaning> {
  const reports = await host.containers();
  const named = reports.filter((report) => isNamed(report, term));
  // The name of a container need not be a valid DNS name.
  const all = await host.ask(term).catch((error: unknown) => {
    if (named.length > 0) return [];
    throw error;
  });
  const asked = relevantAnswers(all ?? []);
  const names = await host.names();
  const containers = matchContainers(term, asked, { reports, names });
  const isService = all === undefined || asked.some(isServiceAnswer);
  const service = isService ? await explainService(term, reports, host) : undefined;
  const answered = asked.flatMap(({ answers }) => answers);
  const answers = service && service.answers.length > 0 ? service.answers : [...new Set(answered)];
  const own = service ?? { name: term, tag: undefined, here: [], elsewhere: [] };
  return { ...own, answers, asked, containers, isService };
}

async function explainService(
  term: string,
  reports: readonly ContainerReport[],
  host: Needs,
): Promise<Explanation> {
  const query = parseServiceQuery(term);
  return explain(query, reports, await host.instances(query.name), host);
}

/** Whether an answer may be about a service. When DNS gives its own reason for a failure, that reason is enough. */
const isServiceAnswer = ({ zone, name, why }: ZoneAnswer): boolean =>
  zone === 'service' && why === undefined && /(^|\.)service\.|^_/i.test(name);

/** The positive answers; the negative ones only where no zone answers. */
function relevantAnswers(asked: readonly ZoneAnswer[]): readonly ZoneAnswer[] {
  const answering = asked.filter(({ rcode }) => rcode === 'NOERROR');
  return answering.length > 0 ? answering : asked;
}

function matchContainers(
  term: string,
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
      return isNamed(report, term) || owners.has(snapshot.id) || addresses.some(({ ip }) => ip === term);
    })
    .map((report) => describe(report, names));
}

function fullName(name: string, names: NamesReport | undefined): string {
  const lower = name.toLowerCase();
  return names && !lower.includes('.') ? `${lower}.${names.domain}` : lower;
}

const isNamed = ({ entry: { snapshot } }: ContainerReport, term: string): boolean =>
  isContainer(snapshot, term);

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
