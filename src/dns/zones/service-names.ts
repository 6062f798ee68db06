/** The meaning of a name below the service domain, parsed from right to left, as Consul does. */
export type ServiceName =
  | {
      readonly kind: 'service';
      readonly service: string;
      readonly tag?: string;
      readonly datacenter?: string;
    }
  | { readonly kind: 'node'; readonly node: string; readonly datacenter?: string }
  /** A name that contains an address as hexadecimal digits. */
  | { readonly kind: 'addr'; readonly digits: string }
  /** Only Consul can answer: a prepared query, a name of its mesh, or one of a peer, partition or namespace. */
  | { readonly kind: 'consul' }
  /** No such name can exist. */
  | { readonly kind: 'invalid' };

const INVALID: ServiceName = { kind: 'invalid' };
const KEYWORDS: ReadonlySet<string> = new Set(['service', 'node', 'query', 'connect', 'ingress', 'virtual']);
const QUALIFIERS: ReadonlySet<string> = new Set(['dc', 'peer', 'ns', 'ap', 'sg']);

/**
 * Parses the labels left of the domain, in lower case:
 * `[tag.]name.service[.dc]`, `_name._tag[.service][.dc]` (RFC 2782; without `service` for SRV only),
 * `node.node[.dc]`, `<hex>.addr[.…]`, `name.query[.dc]`, and `connect`, `ingress` or `virtual` in its place. The
 * rightmost keyword counts, so tags and nodes may have any name. Instead of `.dc`, there may be the qualifiers of
 * Consul 1.13 and later: `.dc1.dc`, `.cluster2.peer`, and of Enterprise `.ns`, `.ap` and `.sg`.
 */
export function parseServiceName(labels: readonly string[], type: string): ServiceName {
  for (let at = labels.length - 1; at >= 0; at -= 1) {
    const [label, left, behind] = [labels[at] as string, labels.slice(0, at), labels.slice(at + 1)];
    const right = KEYWORDS.has(label) ? withoutQualifiers(behind) : behind;
    if (right === undefined) return left.length > 0 ? { kind: 'consul' } : INVALID;
    switch (label) {
      case 'service':
        return serviceName(left, right);
      case 'node':
        return left.length > 0 && right.length <= 1
          ? { kind: 'node', node: left.join('.'), ...datacenter(right) }
          : INVALID;
      case 'addr':
        return left.length === 1 ? { kind: 'addr', digits: left[0] as string } : INVALID;
      case 'query':
      case 'connect':
      case 'ingress':
      case 'virtual':
        return left.length > 0 && right.length <= 1 ? { kind: 'consul' } : INVALID;
      default:
        if (type === 'SRV' && label.startsWith('_')) return serviceName(labels.slice(0, at + 1), right);
    }
  }
  return INVALID;
}

/** The labels behind a keyword, with `dc1.dc` shortened to `dc1`; undefined if only Consul resolves the qualifiers. */
function withoutQualifiers(behind: readonly string[]): readonly string[] | undefined {
  if (behind.length < 2 || behind.length % 2 > 0) return behind;
  const kinds = behind.filter((_, at) => at % 2 === 1);
  if (!kinds.every((kind) => QUALIFIERS.has(kind)) || new Set(kinds).size < kinds.length) return behind;
  return kinds.length === 1 && kinds[0] === 'dc' ? behind.slice(0, 1) : undefined;
}

function serviceName(labels: readonly string[], right: readonly string[]): ServiceName {
  const [first, second] = labels;
  if (first === undefined || right.length > 1) return INVALID;
  if (labels.length === 2 && first.startsWith('_') && second?.startsWith('_')) {
    // For Consul, the transport of RFC 2782 is a tag, except for `_tcp`, which matches any.
    const tag = second === '_tcp' ? undefined : second.slice(1);
    return {
      kind: 'service',
      service: first.slice(1),
      ...(tag !== undefined && { tag }),
      ...datacenter(right),
    };
  }
  const tag = labels.slice(0, -1).join('.');
  const service = labels.at(-1) as string;
  return { kind: 'service', service, ...(tag !== '' && { tag }), ...datacenter(right) };
}

function datacenter([name]: readonly string[]): { datacenter?: string } {
  return name === undefined ? {} : { datacenter: name };
}
