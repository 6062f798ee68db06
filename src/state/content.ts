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
 * The state that cannot be derived from Docker and the kernel. It names host and owner since version 1, as a network of
 * many hosts will need them. Keys that a newer heddle has written are preserved.
 */
const StateSchema = v.looseObject({
  version: v.literal(1),
  /** The owner of our entries in a shared catalog. Not the host's name, which can change and is not unique. */
  hostId: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  /** Addresses assigned by `attach`, by container id; a restarted container gets them back. */
  claims: v.record(v.string(), v.array(CidrSchema)),
  /** Attach options that differ from the default, by container id; absent in older files. */
  attachments: v.optional(v.record(v.string(), AttachOptionsSchema), {}),
  /** The exposed addresses without masquerading; absent in older files. */
  unmasqueraded: v.optional(v.array(CidrSchema), []),
  /** Releasing addresses, which may still be on an interface, by container id; absent in older files. */
  leaving: v.optional(v.record(v.string(), v.array(CidrSchema)), {}),
  /** Names added by `dns-add`; absent in older files. */
  names: v.optional(
    v.array(
      v.looseObject({
        name: v.string(),
        /** The id of the container that has the name; absent for names of other machines. */
        container: v.optional(v.string()),
        /** Empty: all addresses of the container. */
        ips: v.array(IpSchema),
      }),
    ),
    [],
  ),
});

export type State = v.InferOutput<typeof StateSchema>;

/** The state of a new host. */
export const newState = (hostId: string): State => ({
  version: 1,
  hostId,
  claims: {},
  attachments: {},
  unmasqueraded: [],
  leaving: {},
  names: [],
});

/**
 * Reads the state; undefined if there is no such file.
 * @throws Node's error, or HeddleError `failed` for a damaged file
 */
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
    `the state file ${path} is damaged (${why}); restore it, or move it away to start with a new one: ` +
      'registrations made under the old host-id then have to be removed by hand',
    { cause },
  );
