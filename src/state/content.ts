import { isIP } from 'node:net';
import * as v from 'valibot';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import { parseCidr } from '../network/cidr.ts';
import type { AtomicFile } from '../runtime/atomic-file.ts';
import { AttachOptionsSchema } from './attach-options.ts';

/** `10.2.1.1/16` */
const CidrSchema = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    try {
      parseCidr(dataset.value);
    } catch (error) {
      addIssue({ message: messageOf(error) });
    }
  }),
);

const IpSchema = v.pipe(
  v.string(),
  v.check((text) => isIP(text) !== 0, 'is no IP address'),
);

/**
 * What cannot be derived from Docker and the kernel. Host and owner stand in it from the first version: the file has
 * the shape that many hosts need. Keys that a newer heddle has written are kept as they are.
 */
const StateSchema = v.looseObject({
  version: v.literal(1),
  /** Who owns our entries in a shared catalog; never the host's name, which changes and repeats. */
  hostId: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  /** Addresses given by `attach`, by container id: kept so that a restarted container gets them back. */
  claims: v.record(v.string(), v.array(CidrSchema)),
  /** How those with addresses are attached, where that was chosen; absent in older files. */
  attachments: v.optional(v.record(v.string(), AttachOptionsSchema), {}),
  /** Those of the exposed addresses that are not masqueraded; absent in older files. */
  unmasqueraded: v.optional(v.array(CidrSchema), []),
  /** Addresses given up that may still be on an interface, by who had them; absent in older files. */
  leaving: v.optional(v.record(v.string(), v.array(CidrSchema)), {}),
  /** Names given by `dns-add`; absent in files that were written before there were any. */
  names: v.optional(
    v.array(
      v.looseObject({
        name: v.string(),
        /** The id of the container whose name it is; names without one belong to nobody here. */
        container: v.optional(v.string()),
        /** Empty for whatever the container has. */
        ips: v.array(IpSchema),
      }),
    ),
    [],
  ),
});

export type State = v.InferOutput<typeof StateSchema>;

/** That of a host which knows nothing yet. */
export const newState = (hostId: string): State => ({
  version: 1,
  hostId,
  claims: {},
  attachments: {},
  unmasqueraded: [],
  leaving: {},
  names: [],
});

/** Undefined where there is no such file. Throws as Node does, or HeddleError `failed` for a damaged one. */
export async function readState(file: AtomicFile): Promise<State | undefined> {
  let text: string;
  try {
    text = await file.read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
  const { path } = file;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damagedState(path, messageOf(cause), cause);
  }
  const result = v.safeParse(StateSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = v.getDotPath(issue);
  throw damagedState(path, key === null ? issue.message : `${key}: ${issue.message}`, undefined);
}

const damagedState = (path: string, why: string, cause: unknown): HeddleError =>
  new HeddleError(
    'failed',
    `the state file ${path} is damaged (${why}); restore it, or move it away to start anew: ` +
      'registrations made under the old host-id then have to be removed by hand',
    { cause },
  );
