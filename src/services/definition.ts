import type { CheckOptions } from './checks/checks.ts';
import type { CheckBounds } from './checks/target-address.ts';
import type { NamingOptions } from './naming/naming.ts';
import type { Service } from './service.ts';
import type { CommonTagOptions } from './tags.ts';

/** One service of one container. */
export interface Definition {
  readonly service: Service;
  /** The id that SERVICE_ID asks for, instead of the generated one. */
  readonly requestedId?: string;
}

/** All services that a container asks for. */
export interface Definitions {
  readonly definitions: readonly Definition[];
  /** One sentence for each part of its metadata that was left out, and why. */
  readonly problems: readonly string[];
}

export interface DefineOptions extends NamingOptions, CommonTagOptions, CheckOptions {
  readonly hostId: string;
  /** Prefix of the variables and labels; default `SERVICE_`. */
  readonly servicePrefix?: string;
  /** A label that holds the address to announce (registrator's `-useIpFromLabel`). */
  readonly addressLabel?: string;
  /** Services of one container; default 256. */
  readonly maxServices?: number;
  /** Which addresses checks may target; default: only the container's own. */
  readonly checkBounds?: CheckBounds;
}
