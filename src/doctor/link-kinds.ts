import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf, systemCode } from '../errors.ts';
import { type Finding, ok } from './finding.ts';

const subject = 'devices';
const TIMEOUT_MS = 5_000;
/** The kinds of devices that heddle creates, and the kernel option for each. */
const NEEDED = { bridge: 'CONFIG_BRIDGE', veth: 'CONFIG_VETH' } as const;

/** Whether the kernel can create heddle's devices. The test runs in its own network namespace, which ends with it. */
export async function findLinkKinds(kinds: Readonly<Record<string, string>> = NEEDED): Promise<Finding> {
  const names = Object.keys(kinds);
  const tried = await Promise.all(names.map(async (kind) => ({ kind, problem: await problemWith(kind) })));
  const failed = tried.filter(({ problem }) => problem !== undefined);
  if (failed.length === 0) return ok(subject, `the kernel supports ${names.join(' and ')}`);
  const missing = failed.filter(({ problem }) => /not supported|Unknown device type/i.test(problem ?? ''));
  const detail = failed.map(({ kind, problem }) => `${kind}: ${problem}`).join('; ');
  if (missing.length === 0) {
    return { subject, state: 'unknown', detail, advice: 'run as root, with iproute2 and util-linux' };
  }
  const modules = missing.map(({ kind }) => kind);
  const advice = `load the module (modprobe ${modules.join(' ')}), or take a kernel with ${modules.map((kind) => kinds[kind]).join(', ')}`;
  return { subject, state: 'failed', detail, advice };
}

/** @returns the kernel's error, or undefined when it created the device */
async function problemWith(kind: string): Promise<string | undefined> {
  const args = ['--net', 'ip', 'link', 'add', 'heddle-try', 'type', kind];
  try {
    await promisify(execFile)('unshare', args, { timeout: TIMEOUT_MS });
    return undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'there is no unshare: install util-linux';
    const { stderr = '' } = error as { stderr?: string };
    return stderr.trim().split('\n')[0] || messageOf(error);
  }
}
