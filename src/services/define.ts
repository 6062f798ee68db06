import type { Choice } from '../addresses/choose.ts';
import { METADATA_BOUNDS } from '../docker/kept-metadata.ts';
import type { ContainerPort, Snapshot } from '../docker/snapshot.ts';
import type { RosterEntry } from '../roster/entry.ts';
import { announcedAddress } from './address.ts';
import { placesOf, reachedAt, withOfferedPorts } from './announced-ports.ts';
import { type CheckOptions, checksOf } from './checks/checks.ts';
import { leastPeriod, loadOf, slowed, tooOften } from './checks/pace.ts';
import { type CheckBounds, type Endpoint, whyNotChecked, whyNotOwn } from './checks/target-address.ts';
import { commaList, Environment, isWord, type PortVariables, type Variable } from './environment.ts';
import { hintsOf } from './hints.ts';
import { metaOf, shown } from './meta.ts';
import { ID_PREFIX, sealed, serviceId } from './naming/identity.ts';
import { taskHost, withMarathonPorts } from './naming/marathon-task.ts';
import { type NamingOptions, naming } from './naming/naming.ts';
import { choiceOnNetwork, portNumber, withNamedPorts } from './own-place.ts';
import { portHints } from './port-hints.ts';
import { DEFAULT_WEIGHTS, type Service, type Weights } from './service.ts';
import { type CommonTagOptions, commonTags, usableTags } from './tags.ts';

/** One service of one container, and the id that its SERVICE_ID asks for instead of its own. */
export interface Definition {
  readonly service: Service;
  readonly wantedId?: string;
}

/** All that a container asks to be registered; problems name what was left out and why, one sentence each. */
export interface Definitions {
  readonly definitions: readonly Definition[];
  readonly problems: readonly string[];
}

export interface DefineOptions extends NamingOptions, CommonTagOptions, CheckOptions {
  readonly hostId: string;
  /** What the variables and labels begin with; default `SERVICE_`. */
  readonly servicePrefix?: string;
  /** A label whose address a container is announced at (registrator's `-useIpFromLabel`). */
  readonly addressLabel?: string;
  /** Services of one container; default 256. */
  readonly maxServices?: number;
  /** Where checks may go beside the container's own addresses; default nowhere. */
  readonly checkBounds?: CheckBounds;
}

const MAX_ID = 255;
/** The id is part of a path of Consul's API, which takes `..` and `//` apart even when they are escaped. */
const SERVICE_ID = /^[A-Za-z0-9][\w.:@+-]*$/;
const MAX_PROBLEMS = 20;
/** An image can expose 131,070 ports. */
const MAX_SERVICES = 256;
/** Ports and services with each step: a few milliseconds. */
const STEP = 16;
/** Characters of all services of one container: tags of 32,768 characters on 256 ports would be eight megabytes. */
const MAX_SIZE = 1 << 20;

const NONE: Definitions = { definitions: [], problems: [] };

/**
 * What one container should have in the registry: one definition a port and name. Pure; nothing for containers that
 * do not run, are ignored, wait for their address or have none. Bad metadata costs its own key, never the service.
 */
export function define(given: RosterEntry, options: DefineOptions): Definitions {
  const steps = defineInSteps(given, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, a few ports or services with each step: a container of thousands must not hold up everybody. */
export function* defineInSteps(given: RosterEntry, options: DefineOptions): Generator<void, Definitions> {
  const { running, paused, metadata } = given.snapshot;
  if (!running || paused || given.awaitingAddress || given.draining) return NONE;
  const environment = new Environment(metadata, options.servicePrefix);
  const problems = new Set([...leftOutOf(given.snapshot), ...environment.problems]);
  const note = (problem: string): void => void problems.add(problem);
  const own = environment.settings();
  const choice = choiceOnNetwork(own.get('network'), given, note);
  const declared = withMarathonPorts(given.snapshot);
  const snapshot = portsOf(declared, own.get('port'), choice, note);
  const entry = { ...given, snapshot, choice };
  const hinted = new Set<string>();
  const noteHints = (settings: PortVariables): void => hintsOf(settings, hinted).forEach(note);
  noteHints(own);
  portHints(environment, [...new Set([...declared.ports, ...snapshot.ports])]).forEach(note);
  const tags = commonTags(snapshot, options, note);
  const ports = snapshot.ports.length === 0 ? [undefined] : snapshot.ports;
  const { maxServices = MAX_SERVICES } = options;
  const definitions: Definition[] = [];
  const bounds: string[] = [];
  let size = 0;
  let steps = 0;
  let load = { requests: 0, aSecond: 0 };
  for (const [at, port] of ports.entries()) {
    if (bounds.length > 0) break;
    if (++steps % STEP === 0) yield;
    for (const definition of definePort(entry, port, environment, tags, options, note, noteHints)) {
      const { service } = definition;
      size += JSON.stringify(service).length;
      const why =
        definitions.length >= maxServices
          ? `more than --max-services ${maxServices}`
          : size > MAX_SIZE
            ? `together they are longer than ${MAX_SIZE} characters`
            : undefined;
      if (why !== undefined) {
        const left = `${service.name} and those of ${ports.length - at - 1} further ports`;
        bounds.push(`some of its services are left out, ${left}: ${why}`);
        break;
      }
      definitions.push(definition);
      const { requests, aSecond } = loadOf(service);
      load = { requests: load.requests + requests, aSecond: load.aSecond + aSecond };
      if (++steps % STEP === 0) yield;
    }
  }
  const leastMs = leastPeriod(load);
  if (leastMs === undefined) return { definitions, problems: bounded([...bounds, ...problems]) };
  bounds.push(tooOften(load, leastMs));
  const paced: Definition[] = [];
  for (const definition of definitions) {
    const service = sealed(slowed(definition.service, leastMs), options.hostId, snapshot.id);
    paced.push({ ...definition, service });
    if (++steps % STEP === 0) yield;
  }
  return { definitions: paced, problems: bounded([...bounds, ...problems]) };
}

/** The container with the ports that it offers at its address: those of SERVICE_PORT, where any of them is offered. */
function portsOf(declared: Snapshot, named: Variable | undefined, choice: Choice, note: Note): Snapshot {
  const narrowed = withNamedPorts(named, declared, note);
  const offered = withOfferedPorts(narrowed, choice);
  if (named === undefined || offered.ports.length > 0 || narrowed.ports.length === 0) return offered;
  // Many images have a variable of this name for themselves.
  note(`no port of ${named.variable} is published, so it is not followed`);
  return withOfferedPorts(declared, choice);
}

const leftOutOf = ({ leftOut }: Snapshot): readonly string[] =>
  leftOut === undefined ? [] : [`${leftOut} of its variables and labels are left out: ${METADATA_BOUNDS}`];

/**
 * What a container that has no services would have, were it running at an address: for whoever asks why a name does
 * not answer.
 */
export function withheld(
  entry: RosterEntry,
  services: readonly Service[],
  options: DefineOptions,
): readonly Service[] {
  if (services.length > 0) return [];
  const { servicePrefix: prefix = 'SERVICE_' } = options;
  const unknown = { chosen: true, ip: 'unknown', word: '', reason: '', hostPorts: false } as const;
  const { metadata } = entry.snapshot;
  const heeded = new Map(
    [...metadata].filter(([key]) => !(key.startsWith(prefix) && key.endsWith('IGNORE'))),
  );
  const snapshot = { ...entry.snapshot, running: true, paused: false, metadata: heeded };
  const choice = entry.choice.chosen ? entry.choice : unknown;
  const { draining: _, ...rest } = entry;
  return define({ ...rest, snapshot, choice, awaitingAddress: false }, options).definitions.map(
    ({ service }) => service,
  );
}

type Note = (problem: string) => void;

function definePort(
  entry: RosterEntry,
  port: ContainerPort | undefined,
  environment: Environment,
  common: readonly string[],
  options: DefineOptions,
  note: Note,
  noteHints: (settings: PortVariables) => void,
): Definition[] {
  const { snapshot } = entry;
  const settings = environment.settings(port?.port, port?.protocol);
  noteHints(settings);
  const choice = choiceOnNetwork(settings.get('network'), entry, note);
  const announcedPort = announcedPortOf(environment, port, note);
  if ((settings.get('ignore')?.value ?? '') !== '') return [];
  const setting = settings.get('address') ?? labelled(snapshot, options.addressLabel);
  const places = placesOf(port, snapshot, choice).flatMap((found) => {
    const place = announcedPort === undefined ? found : { ...found, port: announcedPort };
    const { address, addresses, problem } = announcedAddress(setting, place);
    if (problem !== undefined) note(problem);
    if (address === undefined) return [];
    const announced = { address, ...(addresses && { addresses }), port: place.port };
    const isNamed = setting !== undefined || address === taskHost(snapshot);
    const isForeign =
      isNamed &&
      whyNotOwn({ ...announced, ...(port && { protocol: port.protocol }) }, entry, options.checkBounds) !==
        undefined;
    return [isForeign ? { ...announced, isForeignAddress: true as const } : announced];
  });
  if (places.length === 0) return [];

  const named = naming(snapshot, environment, port, options);
  named.problems.forEach(note);
  const { meta, problems } = metaOf(unknownKeys(settings));
  problems.forEach(note);
  const content = {
    tags: [...new Set([...named.tags, ...tagsOf(settings, note), ...common, ...protocolTag(port)])],
    meta,
    weights: weightsOf(settings, note),
    ...(settings.get('enable_tag_override')?.value === 'true' && { enableTagOverride: true }),
  };
  const wantedId = wantedIdOf(settings, note);
  const { protocol = 'tcp', port: ownPort = 0 } = port ?? {};
  const { hostId } = options;
  const container = snapshot.id;
  return places.flatMap((place, at) =>
    named.names.map((name, nth): Definition => {
      const extra = `${at > 0 ? `@${place.port}` : ''}${nth > 0 ? `+${name}` : ''}`;
      const id = serviceId({ hostId, container, port: ownPort, protocol, extra });
      const target = {
        ...{ serviceId: id, container, address: place.address, port: place.port, health: snapshot.health },
        refusal: (endpoint: Endpoint) => whyNotChecked(endpoint, { ...entry, choice }, options.checkBounds),
        reach: (other: number) => reachedAt(place.address, other, snapshot, choice),
      };
      const checks = checksOf(settings, target, options, note);
      const service = sealed({ id, name, checks, ...place, ...content }, hostId, container);
      return { service, ...(wantedId !== undefined && { wantedId }) };
    }),
  );
}

/** SERVICE_80_PORT: another number than the port's own. */
function announcedPortOf(environment: Environment, port: ContainerPort | undefined, note: Note) {
  if (port === undefined || !environment.narrowed('port', port.port, port.protocol)) return undefined;
  const setting = environment.settings(port.port, port.protocol).get('port');
  return setting === undefined ? undefined : portNumber(setting, note);
}

function unknownKeys(settings: PortVariables): PortVariables {
  return new Map([...settings].filter(([key]) => !isWord(key)));
}

/** As registrator did, so that one port of both protocols can be told apart: `_dns._udp.service.consul`. */
function protocolTag(port: ContainerPort | undefined): string[] {
  return port === undefined || port.protocol === 'tcp' ? [] : [port.protocol];
}

function tagsOf(settings: PortVariables, note: Note): string[] {
  const setting = settings.get('tags');
  return setting === undefined ? [] : usableTags(commaList(setting.value), setting.variable, note);
}

/** The address in a label counts as SERVICE_ADDRESS does, below it. */
function labelled({ metadata }: Snapshot, label: string | undefined): Variable | undefined {
  const value = label === undefined ? undefined : metadata.get(label);
  return label === undefined || value === undefined ? undefined : { variable: label, value };
}

function weightsOf(settings: PortVariables, note: Note): Weights {
  const setting = settings.get('weight');
  if (setting === undefined) return DEFAULT_WEIGHTS;
  const [passing, warning = DEFAULT_WEIGHTS.warning, ...rest] = setting.value.split(',').map(Number);
  if (passing !== undefined && isWeight(passing) && isWeight(warning) && rest.length === 0) {
    return { passing, warning };
  }
  const expected = 'expected 1–65535, or two such numbers for passing and warning';
  note(`${setting.variable} ${JSON.stringify(shown(setting.value))} is refused: ${expected}`);
  return DEFAULT_WEIGHTS;
}

function isWeight(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

function wantedIdOf(settings: PortVariables, note: Note): string | undefined {
  const setting = settings.get('id');
  const id = setting?.value.trim() ?? '';
  if (setting === undefined || id === '') return undefined;
  if (id.length <= MAX_ID && SERVICE_ID.test(id) && !id.startsWith(ID_PREFIX)) return id;
  const expected = `a letter or digit, then up to ${MAX_ID - 1} of these or . _ : @ + -, and no ${ID_PREFIX} before it`;
  note(`${setting.variable} ${JSON.stringify(shown(id))} is refused: expected ${expected}`);
  return undefined;
}

function bounded(problems: readonly string[]): readonly string[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  return [...problems.slice(0, MAX_PROBLEMS), `and ${problems.length - MAX_PROBLEMS} more`];
}
