/** The address a container is announced at and the reason for it, or why every word of the policy failed. */
export type Choice =
  | {
      readonly chosen: true;
      readonly ip: string;
      /** The word of the policy that matched: `ethwe`, `network:front`, `published`, … */
      readonly word: string;
      /** For people: `ethwe has 10.2.1.1/16`. */
      readonly reason: string;
      /** True for `published`: services carry the host port instead of the container's. */
      readonly hostPorts: boolean;
    }
  | { readonly chosen: false; readonly tried: readonly { readonly word: string; readonly why: string }[] };
