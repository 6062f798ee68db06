import type { Choice } from '../addresses/choose-address.ts';
import type { ContainerPort, Snapshot } from '../docker/snapshot.ts';
import type { RosterEntry } from '../roster/entry.ts';
import { announcedAddress } from './announced-address.ts';
import { announcedPorts, portReachedAt } from './announced-ports.ts';
import { checksOf } from './checks/checks.ts';
import { type Endpoint, whyNotChecked, whyNotOwn } from './checks/target-address.ts';
import type { DefineOptions, Definition } from './definition.ts';
import { commaList, type Environment, isKnownKey, type PortVariables, type Variable } from './environment.ts';
import { metaOf, shown } from './meta.ts';
import { ID_PREFIX, serviceId, withOwnerMeta } from './naming/identity.ts';
import { taskHost } from './naming/marathon-task.ts';
import { type Naming, naming } from './naming/naming.ts';
import type { Note } from './note.ts';
import { DEFAULT_WEIGHTS, type Service, type Weights } from './service.ts';
import { choiceOnNetwork } from './service-network.ts';
import { portNumber } from './service-port.ts';
import { usableTags } from './tags.ts';

/** What is common to all ports of one container. */
export interface ContainerContext {
  /** The roster entry with the network of SERVICE_NETWORK and the ports that are announced. */
  readonly entry: RosterEntry;
  readonly environment: Environment;
  readonly commonTags: readonly string[];
  readonly options: DefineOptions;
  readonly note: Note;
  /** Notes settings that probably do not do what they were meant to do. */
  readonly noteHints: (settings: PortVariables) => void;
}

type AnnouncedAt = Pick<Service, 'address' | 'addresses' | 'port' | 'isForeignAddress'>;
type Content = Pick<Service, 'tags' | 'meta' | 'weights' | 'enableTagOverride'>;

const MAX_ID = 255;
/** The id is part of a path in Consul's API, which interprets `..` and `//` even when they are escaped. */
const SERVICE_ID = /^[A-Za-z0-9][\w.:@+-]*$/;

/** Definitions of one port, or of a container without ports: one for each announced port and name. */
export function definePort(container: ContainerContext, port: ContainerPort | undefined): Definition[] {
  const { entry, environment, options, note } = container;
  const settings = environment.settings(port?.port, port?.protocol);
  container.noteHints(settings);
  const choice = choiceOnNetwork(settings.get('network'), entry, note);
  const override = portOverride(environment, port, note);
  if ((settings.get('ignore')?.value ?? '') !== '') return [];
  const announced = announcedAt(container, port, settings, choice, override);
  if (announced.length === 0) return [];
  const named = naming(entry.snapshot, environment, port, options);
  named.problems.forEach(note);
  const content = contentOf(settings, named, container.commonTags, port, note);
  const requestedId = requestedIdOf(settings, note);
  return announced.flatMap((at, nthAddress) =>
    named.names.map((name, nthName): Definition => {
      const extra = `${nthAddress > 0 ? `@${at.port}` : ''}${nthName > 0 ? `+${name}` : ''}`;
      const id = idOf(container, port, extra);
      const checks = checksAt(container, at, id, settings, choice);
      const service = withOwnerMeta(
        { id, name, checks, ...at, ...content },
        options.hostId,
        entry.snapshot.id,
      );
      return { service, ...(requestedId !== undefined && { requestedId }) };
    }),
  );
}

/** The addresses and port numbers that a port is announced at. */
function announcedAt(
  { entry, options, note }: ContainerContext,
  port: ContainerPort | undefined,
  settings: PortVariables,
  choice: Choice,
  override: number | undefined,
): AnnouncedAt[] {
  const { snapshot } = entry;
  const setting = settings.get('address') ?? addressFromLabel(snapshot, options.addressLabel);
  return announcedPorts(port, snapshot, choice).flatMap((found) => {
    const { address, addresses, problem } = announcedAddress(setting, found);
    if (problem !== undefined) note(problem);
    if (address === undefined) return [];
    const announced = { address, ...(addresses && { addresses }), port: override ?? found.port };
    const endpoint = { ...announced, ...(port && { protocol: port.protocol }) };
    const isFromMetadata = setting !== undefined || address === taskHost(snapshot);
    const isForeign = isFromMetadata && whyNotOwn(endpoint, entry, options.checkBounds) !== undefined;
    return [isForeign ? { ...announced, isForeignAddress: true as const } : announced];
  });
}

function contentOf(
  settings: PortVariables,
  named: Naming,
  commonTags: readonly string[],
  port: ContainerPort | undefined,
  note: Note,
): Content {
  const { meta, problems } = metaOf(metaVariables(settings));
  problems.forEach(note);
  const tags = [...named.tags, ...tagsOf(settings, note), ...commonTags, ...protocolTag(port)];
  return {
    tags: [...new Set(tags)],
    meta,
    weights: weightsOf(settings, note),
    ...(settings.get('enable_tag_override')?.value === 'true' && { enableTagOverride: true }),
  };
}

function idOf({ entry, options }: ContainerContext, port: ContainerPort | undefined, extra: string): string {
  return serviceId({
    hostId: options.hostId,
    container: entry.snapshot.id,
    port: port?.port ?? 0,
    protocol: port?.protocol ?? 'tcp',
    extra,
  });
}

function checksAt(
  { entry, options, note }: ContainerContext,
  { address, port }: AnnouncedAt,
  serviceId: string,
  settings: PortVariables,
  choice: Choice,
): Service['checks'] {
  const { snapshot } = entry;
  const target = {
    serviceId,
    container: snapshot.id,
    address,
    port,
    health: snapshot.health,
    refusal: (endpoint: Endpoint) => whyNotChecked(endpoint, { ...entry, choice }, options.checkBounds),
    reachablePort: (containerPort: number) => portReachedAt(address, containerPort, snapshot, choice),
  };
  return checksOf(settings, target, options, note);
}

/** SERVICE_80_PORT: announces another number than the port's own. */
function portOverride(environment: Environment, port: ContainerPort | undefined, note: Note) {
  if (port === undefined || !environment.isForPort('port', port.port, port.protocol)) return undefined;
  const setting = environment.settings(port.port, port.protocol).get('port');
  return setting === undefined ? undefined : portNumber(setting, note);
}

function metaVariables(settings: PortVariables): PortVariables {
  return new Map([...settings].filter(([key]) => !isKnownKey(key)));
}

/** As in registrator: distinguishes one port of both protocols by `_dns._udp.service.consul`. */
function protocolTag(port: ContainerPort | undefined): string[] {
  return port === undefined || port.protocol === 'tcp' ? [] : [port.protocol];
}

function tagsOf(settings: PortVariables, note: Note): string[] {
  const setting = settings.get('tags');
  return setting === undefined ? [] : usableTags(commaList(setting.value), setting.variable, note);
}

/** The address in a label counts like SERVICE_ADDRESS, which overrides it. */
function addressFromLabel({ metadata }: Snapshot, label: string | undefined): Variable | undefined {
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

function requestedIdOf(settings: PortVariables, note: Note): string | undefined {
  const setting = settings.get('id');
  const id = setting?.value.trim() ?? '';
  if (setting === undefined || id === '') return undefined;
  if (id.length <= MAX_ID && SERVICE_ID.test(id) && !id.startsWith(ID_PREFIX)) return id;
  const expected = `a letter or digit, then up to ${MAX_ID - 1} of these or . _ : @ + -, and no ${ID_PREFIX} before it`;
  note(`${setting.variable} ${JSON.stringify(shown(id))} is refused: expected ${expected}`);
  return undefined;
}
