import { readNode } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { readSelf } from './api/self.ts';

/**
 * An agent that lost its data has a new node id, but its servers have the old id for its name. They reject the agent
 * for good and keep serving its old services. Returns the problem and its fix, or undefined if the ids agree.
 */
export async function whyAgentIsRefused(
  client: ConsulClient,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const attempt = "cannot compare the agent's id";
  const { node, nodeId } = await client.get({ attempt, path: '/agent/self', signal }, readSelf);
  const call = { attempt, path: '/catalog/node/{node}', params: { node }, signal };
  const known = await client.get(call, readNode);
  if (!known?.id || known.id === nodeId) return undefined;
  const body = JSON.stringify({ Node: node });
  return (
    `the agent lost its data, and the servers keep the name ${node} for its old node id; ` +
    `remove the old node: curl -X PUT -d '${body}' <consul>/v1/catalog/deregister`
  );
}
