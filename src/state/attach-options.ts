import * as v from 'valibot';

/** In the state file; what is absent is as usual. */
export const AttachOptionsSchema = v.looseObject({
  /** Without the route for multicast, 224.0.0.0/4, through its interface. */
  multicastRoute: v.exactOptional(v.literal(false)),
  /** Its /etc/hosts says its addresses, and these entries. */
  hosts: v.exactOptional(v.array(v.object({ name: v.string(), ip: v.string() }))),
});

/** How a container is attached, where that was chosen by `run` or `attach`: kept with its claim. */
export type AttachOptions = Readonly<v.InferOutput<typeof AttachOptionsSchema>>;
