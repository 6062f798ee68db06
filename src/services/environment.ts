import type { ContainerPort, Protocol } from '../docker/snapshot.ts';

/** One `SERVICE_…` variable or label that applies to a port. */
export interface Variable {
  /** Its name as the container spells it, for messages. */
  readonly variable: string;
  readonly value: string;
}

/** The settings of a container for one port, by registrator's keys: in lower case, without prefix and port. */
export type PortVariables = ReadonlyMap<string, Variable>;

/** Keys with a meaning; every other key becomes Meta. */
export const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...['name', 'tags', 'id', 'ignore', 'address', 'port', 'network', 'weight', 'enable_tag_override'],
  ...['check_http', 'check_https', 'check_tcp', 'check_udp', 'check_grpc', 'check_h2ping', 'check_ttl'],
  ...['check_script', 'check_cmd', 'check_docker', 'check_http_method', 'check_http_header'],
  ...['check_https_method', 'check_https_header', 'check_grpc_use_tls', 'check_tls_skip_verify'],
  ...['check_interval', 'check_timeout', 'check_initial_status', 'check_deregister_after', 'check_port'],
]);

/** Meta keys that are read from one container: Consul's Meta holds 64 pairs, a label bomb has thousands. */
const MAX_META_KEYS = 256;
/** Port ranges that one container may name: each is compared with each port. */
const MAX_RANGES = 64;
/** Characters of one setting: no list of tags is longer, and Consul would accept a check of a megabyte. */
const MAX_LENGTH = 32_768;

/** A setting and the ports that it applies to. */
export interface ScopedVariable extends Variable {
  readonly key: string;
  /** The first port; undefined if the setting applies to all. */
  readonly port: number | undefined;
  /** The last port of a range; absent for a single port. */
  readonly to?: number;
  readonly protocol: Protocol | undefined;
}

/** Marathon passes an app's labels as variables with this prefix. They count as labels of the lowest precedence. */
const MARATHON_LABEL = 'MARATHON_APP_LABEL_';

/**
 * The `SERVICE_*` settings of one container: `SERVICE_<KEY>`, `SERVICE_<port>_<KEY>`, `SERVICE_<from>-<to>_<KEY>`. The
 * last two may have a protocol before the key. Ports are the container's own. The narrower scope overrides the wider.
 */
export class Environment {
  readonly prefix: string;
  /** One sentence for each bound that left settings out. */
  readonly problems: readonly string[];
  private readonly byPort = new Map<number | undefined, ScopedVariable[]>();
  /** The widest range first. */
  private readonly ranges: readonly ScopedVariable[];

  /** `prefix` ends in `_`. It is upper case by custom and matched exactly. */
  constructor(metadata: ReadonlyMap<string, string>, prefix = 'SERVICE_') {
    this.prefix = prefix;
    const ranges: ScopedVariable[] = [];
    let others = 0;
    let long = 0;
    for (const layer of [`${MARATHON_LABEL}${prefix}`, prefix]) {
      for (const [variable, value] of metadata) {
        if (!variable.startsWith(layer) || variable.length === layer.length) continue;
        if (variable.length + value.length > MAX_LENGTH) {
          long++;
          continue;
        }
        const setting = { variable, value, ...parseScope(variable.slice(layer.length).toLowerCase()) };
        if (!isKnownKey(setting.key) && ++others > MAX_META_KEYS) continue;
        if (setting.to !== undefined) {
          ranges.push(setting);
          continue;
        }
        const scoped = this.byPort.get(setting.port);
        if (scoped === undefined) this.byPort.set(setting.port, [setting]);
        else scoped.push(setting);
      }
    }
    const widest = ranges.slice(0, MAX_RANGES).sort((one, other) => widthOf(other) - widthOf(one));
    this.ranges = widest;
    const leftOut = (count: number, why: string) =>
      count > 0 ? [`${count} of its ${prefix}* settings are left out: ${why}`] : [];
    this.problems = [
      ...leftOut(others - MAX_META_KEYS, `more than ${MAX_META_KEYS}`),
      ...leftOut(ranges.length - MAX_RANGES, `more than ${MAX_RANGES} ranges of ports`),
      ...leftOut(long, `longer than ${MAX_LENGTH} characters`),
    ];
  }

  /** The settings that apply to one port; without a port, those that name no port. */
  settings(port?: number, protocol?: Protocol): PortVariables {
    const settings = new Map<string, Variable>();
    for (const setting of this.byPort.get(undefined) ?? []) override(settings, setting);
    for (const setting of this.rangesContaining(port, protocol)) override(settings, setting);
    for (const setting of this.forPort(port, protocol)) override(settings, setting);
    return settings;
  }

  /** True if the key is set for this single port, not only for a range or the whole container. */
  isForPort(key: string, port: number, protocol: Protocol): boolean {
    return this.forPort(port, protocol).some((setting) => setting.key === key);
  }

  /** The settings for ports, or ranges of ports, other than these. */
  forOtherPorts(ports: readonly ContainerPort[]): readonly ScopedVariable[] {
    const own = new Set(ports.flatMap(({ port, protocol }) => [`${port}`, `${port}/${protocol}`]));
    const isForOther = ({ port, protocol }: ScopedVariable) =>
      !own.has(protocol ? `${port}/${protocol}` : `${port}`);
    const single = [...this.byPort].flatMap(([port, settings]) =>
      port === undefined ? [] : settings.filter(isForOther),
    );
    const coversNone = (range: ScopedVariable) =>
      !ports.some(({ port, protocol }) => covers(range, port, protocol));
    return [...single, ...this.ranges.filter(coversNone)];
  }

  private rangesContaining(
    port: number | undefined,
    protocol: Protocol | undefined,
  ): readonly ScopedVariable[] {
    if (port === undefined) return [];
    return this.ranges.filter((range) => covers(range, port, protocol));
  }

  private forPort(port: number | undefined, protocol: Protocol | undefined): ScopedVariable[] {
    if (port === undefined) return [];
    const ofPort = this.byPort.get(port) ?? [];
    const ofProtocol = ofPort.filter((setting) => setting.protocol === protocol);
    return [...ofPort.filter((setting) => setting.protocol === undefined), ...ofProtocol];
  }
}

/** True for keys with a meaning of their own; they never become Meta. */
export function isKnownKey(key: string): boolean {
  return KNOWN_KEYS.has(key);
}

/** Replaces a wider setting by a narrower one. Tags that begin with a plus are appended to the wider setting's tags. */
function override(settings: Map<string, Variable>, setting: ScopedVariable): void {
  const { key, variable, value } = setting;
  if (key !== 'tags' || !value.trimStart().startsWith('+')) {
    settings.set(key, setting);
    return;
  }
  const added = value.trimStart().slice(1);
  const wider = settings.get(key)?.value.slice(0, MAX_LENGTH);
  settings.set(key, { variable, value: wider === undefined ? added : `${wider},${added}` });
}

function covers(range: ScopedVariable, port: number, protocol: Protocol | undefined): boolean {
  const { port: from = 0, to = 0 } = range;
  return from <= port && port <= to && [undefined, protocol].includes(range.protocol);
}

function widthOf({ port = 0, to = port }: ScopedVariable): number {
  return to - port;
}

function parseScope(key: string): Pick<ScopedVariable, 'key' | 'port' | 'to' | 'protocol'> {
  const [, first, last, protocol, rest] =
    /^(\d{1,5})(?:-(\d{1,5}))?_(?:(tcp|udp|sctp)_)?(.+)$/s.exec(key) ?? [];
  if (first === undefined || rest === undefined) return { key, port: undefined, protocol: undefined };
  const [port, to] = [Number(first), Number(last ?? first)];
  const isRange = to !== port;
  return { key: rest, port, ...(isRange && { to }), protocol: protocol as Protocol | undefined };
}

/** A comma list as in registrator, `\,` being a literal comma. Unlike there, parts are trimmed and keep their order. */
export function commaList(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '\\' && text[at + 1] === ',') {
      part += ',';
      at++;
    } else if (at === text.length || text[at] === ',') {
      if (part.trim() !== '') parts.push(part.trim());
      part = '';
    } else {
      part += text[at];
    }
  }
  return parts;
}
