import type { ConsulClient } from './consul-client.ts';

/**
 * An agent that lost its data has another id than its servers know of its name. They refuse it for good, and go on
 * serving what it had before. Undefined where that is not so; else what is wrong, and what mends it.
 */
export async function whyAgentIsRefused(
  client: ConsulClient,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const attempt = "cannot compare the agent's id";
  type Self = { readonly Config: { readonly NodeName: string; readonly NodeID: string } };
  const { Config } = await client.get<Self>({ attempt, path: '/agent/self', signal });
  const call = { attempt, path: '/catalog/node/{node}', params: { node: Config.NodeName }, signal };
  const known = await client.get<{ Node: { ID: string } } | null>(call);
  if (known?.Node.ID === undefined || known.Node.ID === Config.NodeID) return undefined;
  const body = JSON.stringify({ Node: Config.NodeName });
  return (
    `the agent lost its data, and the servers keep the name ${Config.NodeName} for the one before; ` +
    `remove the old node: curl -X PUT -d '${body}' <consul>/v1/catalog/deregister`
  );
}
