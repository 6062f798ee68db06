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
/** Beside this file, with the same ending: built, or not. */
const PROBE = fileURLToPath(new URL(`ask${extname(import.meta.url)}`, import.meta.url));

/** Asks our resolver from inside the network of a running container: only so its firewall is seen. */
export async function findPort53(
  { namespaceOf, dnsAddress }: Pick<Parts, 'namespaceOf' | 'dnsAddress'>,
  running: readonly Snapshot[],
): Promise<Finding> {
  const container = running.find(({ networks, networkMode }) => {
    const ofDocker = networks.some(({ ipv4, ipv6 }) => ipv4 !== '' || ipv6 !== '');
    return ofDocker && networkMode !== 'host';
  });
  if (!container) {
    const detail = 'no container with an address of Docker runs that it could be asked from';
    return { subject, state: 'unknown', detail, advice: 'start one, and ask again' };
  }
  try {
    const [{ path }, address] = await Promise.all([namespaceOf(container), dnsAddress()]);
    if (path === undefined) throw new Error(`'${container.name}' has no network of its own`);
    const answered = await answersIn(path, address);
    if (answered) return ok(subject, `${address} answers inside '${container.name}'`);
    return {
      subject,
      state: 'failed',
      detail: `${address} does not answer inside '${container.name}'`,
      advice:
        "is heddle's daemon up (heddle status dns), and does the host's firewall let port 53 in from its bridges?",
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
