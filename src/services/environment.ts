import type { ContainerPort, Protocol } from '../docker/snapshot.ts';

/** One `SERVICE_…` variable or label that holds for a port. */
export interface Variable {
  /** As the container spells it, for messages. */
  readonly variable: string;
  readonly value: string;
}

/** What a container asks for one port: registrator's keys in lower case, without prefix and port. */
export type PortVariables = ReadonlyMap<string, Variable>;

/** Keys that mean something; every other becomes Meta. */
export const WORDS: ReadonlySet<string> = new Set([
  ...['name', 'tags', 'id', 'ignore', 'address', 'port', 'network', 'weight', 'enable_tag_override'],
  ...['check_http', 'check_https', 'check_tcp', 'check_udp', 'check_grpc', 'check_h2ping', 'check_ttl'],
  ...['check_script', 'check_cmd', 'check_docker', 'check_http_method', 'check_http_header'],
  ...['check_https_method', 'check_https_header', 'check_grpc_use_tls', 'check_tls_skip_verify'],
  ...['check_interval', 'check_timeout', 'check_initial_status', 'check_deregister_after', 'check_port'],
]);

/** Other keys than words that are read from one container; Consul's Meta holds 64 pairs, a label bomb has thousands. */
const MAX_OTHERS = 256;
/** Ranges of ports of one container: each is compared with each port. */
const MAX_RANGES = 64;
/** Characters of one setting: no list of tags is longer, and Consul would keep a check of a megabyte. */
const MAX_LENGTH = 32_768;

/** A setting, and the ports that it holds for. */
export interface Scoped extends Variable {
  readonly key: string;
  /** The first port; undefined where it holds for all. */
  readonly port: number | undefined;
  /** The last port of a range. */
  readonly to?: number;
  readonly protocol: Protocol | undefined;
}

/** Marathon passes an app's labels as variables of this prefix; they count like labels, but any other beats them. */
const MARATHON_LABEL = 'MARATHON_APP_LABEL_';

/**
 * The `SERVICE_*` language of one container: `SERVICE_<KEY>`, `SERVICE_<port>_<KEY>`, `SERVICE_<from>-<to>_<KEY>`, the
 * last two also with a protocol before the key. Ports are the container's own, and the narrower beats the wider.
 */
export class Environment {
  readonly prefix: string;
  /** What was too much to read. */
  readonly problems: readonly string[];
  private readonly byPort = new Map<number | undefined, Scoped[]>();
  /** The widest first. */
  private readonly ranges: readonly Scoped[];

  /** `prefix` ends in `_`; it is upper case by custom and matched exactly. */
  constructor(metadata: ReadonlyMap<string, string>, prefix = 'SERVICE_') {
    this.prefix = prefix;
    const ranges: Scoped[] = [];
    let others = 0;
    let long = 0;
    for (const layer of [`${MARATHON_LABEL}${prefix}`, prefix]) {
      for (const [variable, value] of metadata) {
        if (!variable.startsWith(layer) || variable.length === layer.length) continue;
        if (variable.length + value.length > MAX_LENGTH) {
          long++;
          continue;
        }
        const setting = { variable, value, ...scopeOf(variable.slice(layer.length).toLowerCase()) };
        if (!isWord(setting.key) && ++others > MAX_OTHERS) continue;
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
      ...leftOut(others - MAX_OTHERS, `more than ${MAX_OTHERS}`),
      ...leftOut(ranges.length - MAX_RANGES, `more than ${MAX_RANGES} ranges of ports`),
      ...leftOut(long, `longer than ${MAX_LENGTH} characters`),
    ];
  }

  /** The settings of one port; without a port, those that name none. */
  settings(port?: number, protocol?: Protocol): PortVariables {
    const settings = new Map<string, Variable>();
    for (const setting of this.byPort.get(undefined) ?? []) put(settings, setting);
    for (const setting of this.rangesWith(port, protocol)) put(settings, setting);
    for (const setting of this.narrower(port, protocol)) put(settings, setting);
    return settings;
  }

  /** True where the key was given for this very port, not for the container at large. */
  narrowed(key: string, port: number, protocol: Protocol): boolean {
    return this.narrower(port, protocol).some((setting) => setting.key === key);
  }

  /** Those for a port, or a range of ports, that is not among these. */
  beside(ports: readonly ContainerPort[]): readonly Scoped[] {
    const known = new Set(ports.flatMap(({ port, protocol }) => [`${port}`, `${port}/${protocol}`]));
    const isBeside = ({ port, protocol }: Scoped) => !known.has(protocol ? `${port}/${protocol}` : `${port}`);
    const single = [...this.byPort].flatMap(([port, settings]) =>
      port === undefined ? [] : settings.filter(isBeside),
    );
    const hasNone = (range: Scoped) => !ports.some(({ port, protocol }) => isIn(range, port, protocol));
    return [...single, ...this.ranges.filter(hasNone)];
  }

  private rangesWith(port: number | undefined, protocol: Protocol | undefined): readonly Scoped[] {
    if (port === undefined) return [];
    return this.ranges.filter((range) => isIn(range, port, protocol));
  }

  private narrower(port: number | undefined, protocol: Protocol | undefined): Scoped[] {
    if (port === undefined) return [];
    const ofPort = this.byPort.get(port) ?? [];
    const ofProtocol = ofPort.filter((setting) => setting.protocol === protocol);
    return [...ofPort.filter((setting) => setting.protocol === undefined), ...ofProtocol];
  }
}

/** True for keys with a meaning of their own, which never become Meta. */
export function isWord(key: string): boolean {
  return WORDS.has(key);
}

/** The narrower setting takes the place of the wider; tags that begin with a plus are added to the wider ones. */
function put(settings: Map<string, Variable>, setting: Scoped): void {
  const { key, variable, value } = setting;
  if (key !== 'tags' || !value.trimStart().startsWith('+')) {
    settings.set(key, setting);
    return;
  }
  const added = value.trimStart().slice(1);
  const wider = settings.get(key)?.value.slice(0, MAX_LENGTH);
  settings.set(key, { variable, value: wider === undefined ? added : `${wider},${added}` });
}

function isIn(range: Scoped, port: number, protocol: Protocol | undefined): boolean {
  const { port: from = 0, to = 0 } = range;
  return from <= port && port <= to && [undefined, protocol].includes(range.protocol);
}

function widthOf({ port = 0, to = port }: Scoped): number {
  return to - port;
}

function scopeOf(key: string): Pick<Scoped, 'key' | 'port' | 'to' | 'protocol'> {
  const [, first, last, protocol, rest] =
    /^(\d{1,5})(?:-(\d{1,5}))?_(?:(tcp|udp|sctp)_)?(.+)$/s.exec(key) ?? [];
  if (first === undefined || rest === undefined) return { key, port: undefined, protocol: undefined };
  const [port, to] = [Number(first), Number(last ?? first)];
  const isRange = to !== port;
  return { key: rest, port, ...(isRange && { to }), protocol: protocol as Protocol | undefined };
}

/** A comma list as registrator reads it, `\,` being a comma, except that parts are trimmed and their order is kept. */
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
