import { isRecord, textOf, textsOf } from './shapes.ts';

/** The fields of `/v1/agent/self` that heddle reads. */
export interface AgentSelf {
  readonly node: string;
  /** Changes when the agent loses its data; undefined before Consul 0.7.3. */
  readonly nodeId: string | undefined;
  /** The address that the agent advertises; empty if it names none. */
  readonly address: string;
  readonly datacenter: string;
  readonly meta: Readonly<Record<string, string>>;
  /** `1.8.7` */
  readonly version: string;
  /** The agent's counters as strings, among them `services` and `checks`. */
  readonly counters: Readonly<Record<string, string>>;
}

/** Parses the answer; undefined if it has another form. */
export function readSelf(json: unknown): AgentSelf | undefined {
  if (!isRecord(json) || !isRecord(json.Config)) return undefined;
  const { Config: config, Member: member, Meta: meta, Stats: stats } = json;
  const [node, datacenter] = [textOf(config.NodeName), textOf(config.Datacenter)];
  if (node === '') return undefined;
  return {
    node,
    nodeId: textOf(config.NodeID) || undefined,
    address: isRecord(member) ? textOf(member.Addr) : '',
    datacenter,
    meta: textsOf(meta),
    version: textOf(config.Version),
    counters: isRecord(stats) ? textsOf(stats.agent) : {},
  };
}
