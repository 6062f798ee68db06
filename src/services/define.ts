import type { Choice } from '../addresses/choose-address.ts';
import { METADATA_BOUNDS } from '../docker/kept-metadata.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import type { RosterEntry } from '../roster/entry.ts';
import { withAnnouncedPorts } from './announced-ports.ts';
import { type CheckLoad, loadOf, minPeriod, rateLimited, rateLimitProblem } from './checks/rate-limit.ts';
import { type ContainerContext, definePort } from './define-port.ts';
import type { DefineOptions, Definition, Definitions } from './definition.ts';
import { Environment, type PortVariables, type Variable } from './environment.ts';
import { hintsOf } from './hints.ts';
import { withOwnerMeta } from './naming/identity.ts';
import { withMarathonPorts } from './naming/marathon-task.ts';
import type { Note } from './note.ts';
import { portHints } from './port-hints.ts';
import { choiceOnNetwork } from './service-network.ts';
import { withNamedPorts } from './service-port.ts';
import { commonTags } from './tags.ts';

/** The definitions of all ports, and the load of their checks. */
interface PortDefinitions {
  readonly definitions: readonly Definition[];
  readonly load: CheckLoad;
  /** A sentence when a bound on the container left some services out. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 20;
/** An image can expose 131,070 ports. */
const MAX_SERVICES = 256;
/** Ports and services in one step: a few milliseconds. */
const STEP = 16;
/** Characters of all services of one container: tags of 32,768 characters on 256 ports would be eight megabytes. */
const MAX_SIZE = 1 << 20;

const NONE: Definitions = { definitions: [], problems: [] };

/**
 * The services that one container should have in the registry: one definition for each port and name. Pure. Containers
 * that are stopped, ignored, waiting for their address or without one have none. Bad metadata costs its own key, never
 * the service.
 */
export function define(entry: RosterEntry, options: DefineOptions): Definitions {
  const steps = defineInSteps(entry, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same in steps of a few ports or services, so that a container with thousands does not block the event loop. */
export function* defineInSteps(entry: RosterEntry, options: DefineOptions): Generator<void, Definitions> {
  const { running, paused } = entry.snapshot;
  if (!running || paused || entry.awaitingAddress || entry.draining) return NONE;
  const problems = new Set<string>();
  const container = readContainer(entry, options, (problem) => void problems.add(problem));
  const { definitions, load, problems: exceeded } = yield* defineAllPorts(container);
  const minMs = minPeriod(load);
  if (minMs === undefined) return { definitions, problems: bounded([...exceeded, ...problems]) };
  return {
    definitions: yield* limitRates(definitions, minMs, container),
    problems: bounded([...exceeded, rateLimitProblem(load, minMs), ...problems]),
  };
}

/** Reads what is common to all ports of a container. */
function readContainer(entry: RosterEntry, options: DefineOptions, note: Note): ContainerContext {
  const environment = new Environment(entry.snapshot.metadata, options.servicePrefix);
  metadataProblems(entry.snapshot).forEach(note);
  environment.problems.forEach(note);
  const settings = environment.settings();
  const choice = choiceOnNetwork(settings.get('network'), entry, note);
  const declared = withMarathonPorts(entry.snapshot);
  const snapshot = withServicePorts(declared, settings.get('port'), choice, note);
  const hinted = new Set<string>();
  const noteHints = (variables: PortVariables): void => hintsOf(variables, hinted).forEach(note);
  noteHints(settings);
  portHints(environment, [...new Set([...declared.ports, ...snapshot.ports])]).forEach(note);
  const tags = commonTags(snapshot, options, note);
  return {
    entry: { ...entry, snapshot, choice },
    environment,
    commonTags: tags,
    options,
    note,
    noteHints,
  };
}

function* defineAllPorts(container: ContainerContext): Generator<void, PortDefinitions> {
  const { entry, options } = container;
  const { maxServices = MAX_SERVICES } = options;
  const ports = entry.snapshot.ports.length === 0 ? [undefined] : entry.snapshot.ports;
  const definitions: Definition[] = [];
  let load: CheckLoad = { requests: 0, perSecond: 0 };
  let size = 0;
  let steps = 0;
  for (const [at, port] of ports.entries()) {
    if (++steps % STEP === 0) yield;
    for (const definition of definePort(container, port)) {
      const { service } = definition;
      size += JSON.stringify(service).length;
      const exceeded = exceededBound(definitions.length, maxServices, size);
      if (exceeded !== undefined) {
        const left = `${service.name} and those of ${ports.length - at - 1} further ports`;
        return { definitions, load, problems: [`some of its services are left out, ${left}: ${exceeded}`] };
      }
      definitions.push(definition);
      const { requests, perSecond } = loadOf(service);
      load = { requests: load.requests + requests, perSecond: load.perSecond + perSecond };
      if (++steps % STEP === 0) yield;
    }
  }
  return { definitions, load, problems: [] };
}

function exceededBound(count: number, maxServices: number, size: number): string | undefined {
  if (count >= maxServices) return `more than --max-services ${maxServices}`;
  if (size > MAX_SIZE) return `together they are longer than ${MAX_SIZE} characters`;
  return undefined;
}

/** The definitions with no check more often than once in `minMs`. */
function* limitRates(
  definitions: readonly Definition[],
  minMs: number,
  { entry, options }: ContainerContext,
): Generator<void, readonly Definition[]> {
  const limited: Definition[] = [];
  for (const definition of definitions) {
    const service = rateLimited(definition.service, minMs);
    limited.push({ ...definition, service: withOwnerMeta(service, options.hostId, entry.snapshot.id) });
    if (limited.length % STEP === 0) yield;
  }
  return limited;
}

/**
 * The container with only the ports that are announced: those of SERVICE_PORT, if any of them is announced at the
 * chosen address.
 */
function withServicePorts(
  declared: Snapshot,
  setting: Variable | undefined,
  choice: Choice,
  note: Note,
): Snapshot {
  const named = withNamedPorts(setting, declared, note);
  const announced = withAnnouncedPorts(named, choice);
  if (setting === undefined || announced.ports.length > 0 || named.ports.length === 0) return announced;
  // Many images use a variable of this name for their own purposes.
  note(`${setting.variable} is ignored: none of its ports is published`);
  return withAnnouncedPorts(declared, choice);
}

const metadataProblems = ({ leftOut }: Snapshot): readonly string[] =>
  leftOut === undefined ? [] : [`${leftOut} of its variables and labels are left out: ${METADATA_BOUNDS}`];

function bounded(problems: readonly string[]): readonly string[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  return [...problems.slice(0, MAX_PROBLEMS), `and ${problems.length - MAX_PROBLEMS} more`];
}
