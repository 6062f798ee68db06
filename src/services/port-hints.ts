import type { ContainerPort } from '../docker/snapshot.ts';
import type { Environment, ScopedVariable } from './environment.ts';
import { shown } from './meta.ts';

/** A container can name all 65,535 ports. */
const MAX_SENTENCES = 16;
/** Ports of the container that one sentence lists. */
const MAX_NAMED_PORTS = 8;

/** A sentence for each port, or range of ports, that settings name but the container does not have. */
export function portHints(environment: Environment, ports: readonly ContainerPort[]): readonly string[] {
  // IGNORE for a missing port does no harm.
  const unused = environment
    .forOtherPorts(ports)
    .filter((setting) => setting.key !== 'ignore' || isReversed(setting));
  if (unused.length === 0) return [];
  const scopes = Map.groupBy(unused, ({ port, to, protocol }) => `${port}-${to}/${protocol}`);
  const sentences = [...scopes.values()].slice(0, MAX_SENTENCES).map((settings) => {
    const [first, ...more] = settings as [ScopedVariable, ...ScopedVariable[]];
    const subject = more.length === 0 ? 'has no effect' : `and ${more.length} more like it have no effect`;
    return `${shown(first.variable)} ${subject}: ${whyUnused(first, ports, environment.prefix)}`;
  });
  const left = scopes.size - sentences.length;
  return left === 0 ? sentences : [...sentences, `settings of ${left} further ports have no effect`];
}

function whyUnused(scoped: ScopedVariable, ports: readonly ContainerPort[], prefix: string): string {
  const { port, to, protocol } = scoped;
  if (isReversed(scoped)) return `a range begins with the lower port; expected ${to}-${port}`;
  const published = to === undefined && ports.find((own) => own.published.some((at) => at.hostPort === port));
  if (published) return `${port} is the host's port; expected the container's own, ${published.port}`;
  const missing = `${port}${to === undefined ? '' : ` to ${to}`}${protocol === undefined ? '' : `/${protocol}`}`;
  const own = ports.slice(0, MAX_NAMED_PORTS).map((one) => `${one.port}/${one.protocol}`);
  const others =
    own.length === 0 ? '' : `, only ${own.join(', ')}${ports.length > MAX_NAMED_PORTS ? ', …' : ''}`;
  return `the container has no port ${missing}${others}; expose it, or name it in ${prefix}PORT`;
}

function isReversed({ port = 0, to = port }: ScopedVariable): boolean {
  return to < port;
}
