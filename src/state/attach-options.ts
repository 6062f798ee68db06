import * as v from 'valibot';

/** The form in the state file; an absent key means the default. */
export const AttachOptionsSchema = v.looseObject({
  /** `false`: its interface gets no route for multicast, 224.0.0.0/4. */
  multicastRoute: v.exactOptional(v.literal(false)),
  /** heddle writes its addresses and these entries to its /etc/hosts. */
  hosts: v.exactOptional(v.array(v.object({ name: v.string(), ip: v.string() }))),
});

/** Options with which `run` or `attach` attached a container; stored together with its claim. */
export type AttachOptions = Readonly<v.InferOutput<typeof AttachOptionsSchema>>;
