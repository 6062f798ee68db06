import { createHash } from 'node:crypto';
import { type Protocol, shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { OWNER_META, type Service } from '../service.ts';

/** The value of `heddle-owner`. */
export const OWNER = 'heddle';

/** The prefix of generated ids; a SERVICE_ID must not begin with it. */
export const ID_PREFIX = `${OWNER}:`;

export interface ServiceKey {
  readonly hostId: string;
  readonly container: string;
  /** The container's own port, so that the id stays when the announced port changes. */
  readonly port: number;
  readonly protocol: Protocol;
  /** Distinguishes services on one port: `+name` for a further name, `@8081` for a further host port; usually empty. */
  readonly extra: string;
}

/** `heddle:<host-id>:<container-12>:<port>[extra][:udp]`: unique wherever host-ids are. */
export function serviceId(key: ServiceKey): string {
  const protocol = key.protocol === 'tcp' ? '' : `:${key.protocol}`;
  return `${ID_PREFIX}${key.hostId}:${shortId(key.container)}:${key.port}${key.extra}${protocol}`;
}

/** The container in a generated id, as its first twelve digits; undefined for other ids. */
export function containerOfId(id: string): string | undefined {
  const [owner, , container] = id.split(':', 3);
  return owner === OWNER ? container : undefined;
}

/**
 * The service with its owner, host-id, container and content hash in Meta. If it already has them, the hash is
 * recomputed.
 */
export function withOwnerMeta(service: Service, hostId: string, container: string): Service {
  const ownership = {
    [OWNER_META.owner]: OWNER,
    [OWNER_META.host]: hostId,
    [OWNER_META.container]: shortId(container),
  };
  const { [OWNER_META.hash]: _, ...own } = service.meta;
  const meta = { ...own, ...ownership };
  return { ...service, meta: { ...meta, [OWNER_META.hash]: contentHash({ ...service, meta }) } };
}

/** True only for entries of this host's heddle. */
export function isOurs(meta: Readonly<Record<string, string>>, hostId: string): boolean {
  return meta[OWNER_META.owner] === OWNER && meta[OWNER_META.host] === hostId;
}

/** Sixteen hex digits over everything that is registered except the id, independent of the order of keys. */
function contentHash(service: Service): string {
  const { id: _, ...content } = service;
  return createHash('sha256').update(canonical(content)).digest('hex').slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/**
 * True if a registered service differs from the desired one. The hash covers the checks, which a registry does not
 * return. All else is compared as well, because an entry may have been edited without changing its Meta.
 */
export function differs(registered: Service, desired: Service): boolean {
  // The embedded registry returns the same objects: this shortcut saves ten thousand comparisons a minute.
  if (registered === desired) return false;
  // Consul before 1.6 stores one address for a service: comparing the second would rewrite it forever.
  const { addresses: _, ...single } = desired;
  return comparable(registered) !== comparable(registered.addresses === undefined ? single : desired);
}

function comparable(service: Service): string {
  const { id, name, tags, address, addresses, port, meta, weights, enableTagOverride } = service;
  // With tag override, other programs may change the tags.
  const ownTags = enableTagOverride === true ? [] : tags;
  return canonical({ id, name, tags: ownTags, address, addresses, port, meta, weights });
}

/** @throws HeddleError `bad-input` */
export function checkHostId(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  const message = `${JSON.stringify(text)} is not a host-id; expected 12 hex digits, as shown by heddle status`;
  throw new HeddleError('bad-input', message);
}
