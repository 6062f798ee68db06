import type { ConsulAgent } from './consul.ts';

/** The configuration of an agent that denies by default; who comes without a token may do everything. */
export const DENIES_BY_DEFAULT = `acl {
  enabled = true
  default_policy = "deny"
  tokens { master = "root"  agent = "root"  default = "root" }
}`;

/** A token that may do what its rules say, and no more. */
export interface Token {
  readonly secret: string;
  /** Other rules from now on. */
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
