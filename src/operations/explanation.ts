import type { CheckState, Instance } from '../registry/registry.ts';
import { isAnswered } from '../services/health.ts';
import { addressesOf, type Service } from '../services/service.ts';
import { announcement } from './announcement.ts';
import type { ContainerReport, HostOperations } from './host-operations.ts';

/** The parts of a service's DNS name; the tag is everything left of the service. */
export interface ServiceQuery {
  readonly name: string;
  readonly tag: string | undefined;
}

/** A container of this host whose service has, or would have, the name. */
export interface Candidate {
  readonly container: string;
  readonly containerName: string;
  readonly service: Service;
  /** The announced address and why, or why none is announced. */
  readonly announced: string;
  /** The status of its own checks, and of its node's checks that do not pass. */
  readonly checks: readonly CheckState[];
  /** Its state in the registry. */
  readonly registration: string;
  /** True when DNS answers with it. */
  readonly answers: boolean;
  /** Why DNS does not answer with it. */
  readonly why?: string;
  /** Ignored parts of the container's metadata, and why; one sentence each. */
  readonly problems: readonly string[];
}

export interface Explanation extends ServiceQuery {
  /** The addresses in the answer of DNS. */
  readonly answers: readonly string[];
  readonly here: readonly Candidate[];
  readonly elsewhere: readonly Instance[];
  /** Why there is no answer. */
  readonly nothing?: string;
}

/** Parses `web`, `v1.web`, `web.service.dc1.consul` and `_web._v1.service.consul` into service and tag. */
export function parseServiceQuery(text: string): ServiceQuery {
  const labels = text.toLowerCase().replace(/\.$/, '').split('.');
  const end = labels.lastIndexOf('service');
  const own = end > 0 ? labels.slice(0, end) : labels;
  const [service = '', second = ''] = own;
  if (own.length === 2 && service.startsWith('_') && second.startsWith('_')) {
    // RFC 2782: `_tcp` and `_udp` are protocols. Consul treats them as "any tag".
    const tag = second.slice(1);
    return { name: service.slice(1), tag: ['tcp', 'udp'].includes(tag) ? undefined : tag };
  }
  const tag = own.slice(0, -1).join('.');
  return { name: own.at(-1) ?? '', tag: tag === '' ? undefined : tag };
}

/**
 * Explains the answer of DNS for a service.
 * @param instances all that the resolver sees of the service, on this host and others
 */
export function explain(
  query: ServiceQuery,
  reports: readonly ContainerReport[],
  instances: readonly Instance[],
  host: Pick<HostOperations, 'registration' | 'onlyPassing'>,
): Explanation {
  const hasTag = (service: Service) =>
    query.tag === undefined || service.tags.some((tag) => tag.toLowerCase() === query.tag);
  const byId = new Map(instances.map((instance) => [instance.service.id, instance]));
  const here = reports
    .flatMap((report) => candidates(report, query.name))
    .map((candidate): Candidate => {
      const instance = byId.get(candidate.service.id);
      // Prefer the resolver's copy: others may have changed the tags in the registry.
      const service = instance?.service ?? candidate.service;
      const why =
        candidate.why ??
        (hasTag(service)
          ? whyNoAnswer(service, instance, host)
          : `it does not have the tag ${query.tag}; its tags: ${list(service.tags) || 'none'}`);
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
  const elsewhere = instances.filter(({ service }) => !ours.has(service.id));
  const answering = elsewhere.filter(({ service, status }) => hasTag(service) && isAnswered(status, host));
  const answers = [
    ...here.filter((candidate) => candidate.answers).flatMap(({ service }) => addressesOf(service)),
    ...answering.flatMap(({ service, nodeAddress }) => {
      const own = addressesOf(service);
      return own.length > 0 ? own : [nodeAddress];
    }),
  ];
  const nothing = answers.length > 0 ? undefined : whyNoneAnswers(query, here, elsewhere, reports);
  return { ...query, answers, here, elsewhere, ...(nothing !== undefined && { nothing }) };
}

type FoundService = Pick<
  Candidate,
  'container' | 'containerName' | 'service' | 'announced' | 'why' | 'problems'
>;

function candidates(report: ContainerReport, name: string): readonly FoundService[] {
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
      ...(report.services.length === 0 && { why: announced ? 'SERVICE_IGNORE is set' : text }),
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
      ? 'the registry, which runs its checks, does not list it'
      : 'the registry rejected it';
  }
  const { status, unwell = [] } = instance;
  if (isAnswered(status, { onlyPassing })) return undefined;
  const names = list(unwell.filter((check) => check.status === status).map(({ name }) => name));
  return `${names} is ${status}${status === 'warning' ? ', and --only-passing omits it' : ''}`;
}

function whyNoneAnswers(
  { name }: ServiceQuery,
  here: readonly Candidate[],
  elsewhere: readonly Instance[],
  reports: readonly ContainerReport[],
): string {
  if (here.length > 0 || elsewhere.length > 0)
    return `none of the instances of ${name} answers; each shows why`;
  const names = new Set(reports.flatMap(({ services }) => services.map((service) => service.name)));
  const known = list([...names].sort().slice(0, 10));
  return `no service is called ${name}${known === '' ? '' : `; services of this host: ${known}`}`;
}

const list = (texts: readonly string[]): string => texts.join(', ');
