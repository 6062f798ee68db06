import type { CheckKind } from '../services/service.ts';

/** The kinds of checks that heddle runs, or tells, by itself where no agent does. */
export const HEDDLES_KINDS: ReadonlySet<CheckKind['kind']> = new Set(['http', 'tcp', 'ttl', 'healthcheck']);
