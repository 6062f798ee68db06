import type { ConsulAgent } from './consul.ts';

/** The configuration of an agent that denies by default; a client without a token may do everything. */
export const DENIES_BY_DEFAULT = `acl {
  enabled = true
  default_policy = "deny"
  tokens { master = "root"  agent = "root"  default = "root" }
}`;

/** A token limited to its rules. */
export interface Token {
  readonly secret: string;
  /** Replaces its rules. */
  allow(rules: string): Promise<void>;
}

export async function createToken(agent: ConsulAgent, rules: string): Promise<Token> {
  const Name = `p${Math.random()}`.replace('.', '');
  const { ID } = await agent.put<{ ID: string }>('/v1/acl/policy', { Name, Rules: rules });
  const { SecretID } = await agent.put<{ SecretID: string }>('/v1/acl/token', { Policies: [{ ID }] });
  return {
    secret: SecretID,
    allow: (Rules) => agent.put(`/v1/acl/policy/${ID}`, { ID, Name, Rules }),
  };
}
