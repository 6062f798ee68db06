import { createHash } from 'node:crypto';
import { type Protocol, shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { OWNER_META, type Service } from '../service.ts';

/** The value of `heddle-owner`. */
export const OWNER = 'heddle';

/** Ids that begin so are heddle's to give; no SERVICE_ID may. */
export const ID_PREFIX = `${OWNER}:`;

export interface ServiceKey {
  readonly hostId: string;
  readonly container: string;
  /** The container's own port, so that the id stays when the announced port changes. */
  readonly port: number;
  readonly protocol: Protocol;
  /** What tells several services on one port apart: `+name` for a further name, `@8081` for a further host port; mostly empty. */
  readonly extra: string;
}

/** `heddle:<host-id>:<container-12>:<port>[extra][:udp]`: unique wherever host-ids are. */
export function serviceId(key: ServiceKey): string {
  const protocol = key.protocol === 'tcp' ? '' : `:${key.protocol}`;
  return `${ID_PREFIX}${key.hostId}:${shortId(key.container)}:${key.port}${key.extra}${protocol}`;
}

/** The container that an id of heddle's own form names, as its first twelve digits. */
export function containerOfId(id: string): string | undefined {
  const [owner, , container] = id.split(':', 3);
  return owner === OWNER ? container : undefined;
}

/**
 * The service with its marks of ownership in Meta: whose it is, which host's, which container's, and its content. One
 * that had them and was changed gets those of its new content.
 */
export function sealed(service: Service, hostId: string, container: string): Service {
  const marks = {
    [OWNER_META.owner]: OWNER,
    [OWNER_META.host]: hostId,
    [OWNER_META.container]: shortId(container),
  };
  const { [OWNER_META.hash]: _, ...own } = service.meta;
  const meta = { ...own, ...marks };
  return { ...service, meta: { ...meta, [OWNER_META.hash]: contentHash({ ...service, meta }) } };
}

/** True only for entries that this host's heddle made. */
export function isOurs(meta: Readonly<Record<string, string>>, hostId: string): boolean {
  return meta[OWNER_META.owner] === OWNER && meta[OWNER_META.host] === hostId;
}

/** Sixteen hex digits of everything a registry is told but the id; the order of keys does not matter. */
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
 * True where what a registry holds is not what was wanted. The hash speaks for the checks, which a registry does not
 * give back; the rest is compared too, because somebody may have edited an entry and kept its Meta.
 */
export function differs(held: Service, wanted: Service): boolean {
  // A registry in this process gives back what it was given: ten thousand of them are compared every minute.
  if (held === wanted) return false;
  // A Consul before 1.6 keeps one address a service: whoever missed the other would write it for ever.
  const { addresses: _, ...single } = wanted;
  return comparable(held) !== comparable(held.addresses === undefined ? single : wanted);
}

function comparable(service: Service): string {
  const { id, name, tags, address, addresses, port, meta, weights, enableTagOverride } = service;
  // With tag override the tags are others' to change.
  const ownTags = enableTagOverride === true ? [] : tags;
  return canonical({ id, name, tags: ownTags, address, addresses, port, meta, weights });
}

/** @throws HeddleError `bad-input` */
export function checkHostId(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  const message = `${JSON.stringify(text)} is no host-id; expected 12 hex digits, as heddle status shows them`;
  throw new HeddleError('bad-input', message);
}
