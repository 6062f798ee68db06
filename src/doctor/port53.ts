import { execFile } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Parts } from '../containers/parts.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { messageOf, systemCode } from '../errors.ts';
import { type Finding, ok } from './finding.ts';

const subject = 'port 53';
const TIMEOUT_MS = 5_000;
/** Beside this file, with the same extension: `.js` in a build, else `.ts`. */
const PROBE = fileURLToPath(new URL(`ask${extname(import.meta.url)}`, import.meta.url));

/** Queries heddle's resolver from inside the network of a running container, because only that passes the firewall. */
export async function findPort53(
  { namespaceOf, bridges }: Pick<Parts, 'namespaceOf' | 'bridges'>,
  running: readonly Snapshot[],
): Promise<Finding> {
  const container = running.find(({ networks, networkMode }) => {
    const ofDocker = networks.some(({ ipv4, ipv6 }) => ipv4 !== '' || ipv6 !== '');
    return ofDocker && networkMode !== 'host';
  });
  if (!container) {
    const detail = 'no running container has an address of Docker, from which to query';
    return { subject, state: 'unknown', detail, advice: 'start one, then repeat this command' };
  }
  try {
    const [{ path }, address] = await Promise.all([namespaceOf(container), bridges.dnsAddress()]);
    if (path === undefined) throw new Error(`'${container.name}' has no network of its own`);
    const answered = await answersIn(path, address);
    if (answered) return ok(subject, `${address} answers inside '${container.name}'`);
    return {
      subject,
      state: 'failed',
      detail: `${address} does not answer inside '${container.name}'`,
      advice:
        "is heddle's daemon up (heddle status dns), and does the host's firewall accept port 53 from its bridges?",
    };
  } catch (error) {
    return { subject, state: 'unknown', detail: messageOf(error), advice: '' };
  }
}

async function answersIn(nsPath: string, address: string): Promise<boolean> {
  try {
    await promisify(execFile)('nsenter', [`--net=${nsPath}`, process.execPath, PROBE, address], {
      timeout: TIMEOUT_MS,
    });
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new Error('there is no nsenter: install util-linux');
    return false;
  }
}
