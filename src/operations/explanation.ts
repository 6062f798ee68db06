import type { CheckState, Instance } from '../registry/registry.ts';
import { isAnswered } from '../services/health.ts';
import { addressesOf, type Service } from '../services/service.ts';
import { announcement } from './announcement.ts';
import type { ContainerReport, HostOperations } from './host-operations.ts';

/** A service's name as DNS takes it apart; the tag is everything left of the name. */
export interface ServiceQuery {
  readonly name: string;
  readonly tag: string | undefined;
}

/** A container of this host that has, or would have, the name. */
export interface Candidate {
  readonly container: string;
  readonly containerName: string;
  readonly service: Service;
  /** Which address and why, or why it is not announced. */
  readonly announced: string;
  /** How its checks are, and its node's that do not pass. */
  readonly checks: readonly CheckState[];
  /** What the registry has made of it. */
  readonly registration: string;
  /** True where it is among the answers. */
  readonly answers: boolean;
  /** Why it is not. */
  readonly why?: string;
  /** What was left out of the container's metadata, and why; one sentence each. */
  readonly problems: readonly string[];
}

export interface Explanation extends ServiceQuery {
  /** Addresses that answer. */
  readonly answers: readonly string[];
  readonly here: readonly Candidate[];
  readonly elsewhere: readonly Instance[];
  /** Why nothing answers. */
  readonly nothing?: string;
}

/** Takes `web`, `v1.web`, `web.service.dc1.consul` and `_web._v1.service.consul` for what they ask. */
export function parseServiceQuery(text: string): ServiceQuery {
  const labels = text.toLowerCase().replace(/\.$/, '').split('.');
  const end = labels.lastIndexOf('service');
  const own = end > 0 ? labels.slice(0, end) : labels;
  const [service = '', second = ''] = own;
  if (own.length === 2 && service.startsWith('_') && second.startsWith('_')) {
    // RFC 2782: `_tcp` and `_udp` are protocols, which Consul takes for any tag.
    const tag = second.slice(1);
    return { name: service.slice(1), tag: ['tcp', 'udp'].includes(tag) ? undefined : tag };
  }
  const tag = own.slice(0, -1).join('.');
  return { name: own.at(-1) ?? '', tag: tag === '' ? undefined : tag };
}

/** What is known of a name: `found` is what the resolver takes for its instances, this host's among them. */
export function explain(
  asked: ServiceQuery,
  reports: readonly ContainerReport[],
  found: readonly Instance[],
  host: Pick<HostOperations, 'registration' | 'onlyPassing'>,
): Explanation {
  const tagged = (service: Service) =>
    asked.tag === undefined || service.tags.some((tag) => tag.toLowerCase() === asked.tag);
  const byId = new Map(found.map((instance) => [instance.service.id, instance]));
  const here = reports
    .flatMap((report) => candidates(report, asked.name))
    .map((candidate): Candidate => {
      const instance = byId.get(candidate.service.id);
      // As the resolver has it: its tags may be others' to change.
      const service = instance?.service ?? candidate.service;
      const why =
        candidate.why ??
        (tagged(service)
          ? whyNoAnswer(service, instance, host)
          : `it has not the tag ${asked.tag}, but ${list(service.tags) || 'none'}`);
      return {
        ...candidate,
        service,
        checks: checkStates(service, instance),
        registration: candidate.why === undefined ? host.registration(service.id) : 'not registered',
        answers: why === undefined,
        ...(why !== undefined && { why }),
      };
    });
  const ours = new Set(here.map(({ service }) => service.id));
  const elsewhere = found.filter(({ service }) => !ours.has(service.id));
  const answering = elsewhere.filter(({ service, status }) => tagged(service) && isAnswered(status, host));
  const answers = [
    ...here.filter((candidate) => candidate.answers).flatMap(({ service }) => addressesOf(service)),
    ...answering.flatMap(({ service, nodeAddress }) => {
      const own = addressesOf(service);
      return own.length > 0 ? own : [nodeAddress];
    }),
  ];
  const nothing = answers.length > 0 ? undefined : whyNothing(asked, here, elsewhere, reports);
  return { ...asked, answers, here, elsewhere, ...(nothing !== undefined && { nothing }) };
}

type Found = Pick<Candidate, 'container' | 'containerName' | 'service' | 'announced' | 'why' | 'problems'>;

function candidates(report: ContainerReport, name: string): readonly Found[] {
  const { snapshot } = report.entry;
  const { announced, text } = announcement(report);
  const services = report.services.length > 0 ? report.services : report.wouldRegister;
  return services
    .filter((service) => service.name === name)
    .map((service) => ({
      container: snapshot.id,
      containerName: snapshot.name,
      service,
      announced: text,
      problems: report.problems,
      ...(report.services.length === 0 && { why: announced ? 'its own metadata says IGNORE' : text }),
    }));
}

function checkStates(service: Service, instance: Instance | undefined): readonly CheckState[] {
  const { unwell = [] } = instance ?? {};
  const statusOf = (id: string) => unwell.find((check) => check.id === id)?.status;
  const own = service.checks.map(({ id, name }) => ({
    ...{ id, name },
    status: statusOf(id) ?? (instance === undefined ? ('unknown' as const) : ('passing' as const)),
  }));
  return [...own, ...unwell.filter(({ id }) => !own.some((check) => check.id === id))];
}

function whyNoAnswer(
  service: Service,
  instance: Instance | undefined,
  { onlyPassing }: Pick<HostOperations, 'onlyPassing'>,
): string | undefined {
  if (instance === undefined) {
    return service.checks.length > 0
      ? 'the registry that runs its checks does not list it'
      : 'the registry refused it';
  }
  const { status, unwell = [] } = instance;
  if (isAnswered(status, { onlyPassing })) return undefined;
  const names = list(unwell.filter((check) => check.status === status).map(({ name }) => name));
  return `${names} is ${status}${status === 'warning' ? ', and --only-passing leaves it out' : ''}`;
}

function whyNothing(
  { name }: ServiceQuery,
  here: readonly Candidate[],
  elsewhere: readonly Instance[],
  reports: readonly ContainerReport[],
): string {
  if (here.length > 0 || elsewhere.length > 0)
    return `none of the instances of ${name} answers; see why at each`;
  const names = new Set(reports.flatMap(({ services }) => services.map((service) => service.name)));
  const known = list([...names].sort().slice(0, 10));
  return `no service is called ${name}${known === '' ? '' : `; the containers of this host are ${known}`}`;
}

const list = (words: readonly string[]): string => words.join(', ');
