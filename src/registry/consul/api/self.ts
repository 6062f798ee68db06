import { isRecord, textOf, textsOf } from './shapes.ts';

/** What `/v1/agent/self` says, as far as heddle reads it. */
export interface AgentSelf {
  readonly node: string;
  /** Another one when the agent lost its data; undefined before Consul 0.7.3. */
  readonly nodeId: string | undefined;
  /** The address that the agent advertises; empty where it says none. */
  readonly address: string;
  readonly datacenter: string;
  readonly meta: Readonly<Record<string, string>>;
  /** `1.8.7` */
  readonly version: string;
  /** Of the agent, as texts: `services` and `checks` among others. */
  readonly counters: Readonly<Record<string, string>>;
}

/** Undefined where the answer is of another shape. */
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
