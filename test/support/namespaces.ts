import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { eventually } from './eventually.ts';
import { succeed } from './program.ts';

/** Of tests that make devices beside those of a Docker engine and a daemon in the same world. */
export const TEST_BRIDGE = 'heddletest';

/** A network namespace with one sleeping process in it: all that the network sees of a container. */
export interface LabNamespace {
  readonly nsPath: string;
  readonly inode: number;
  /** Runs a program inside and returns what it printed. */
  run(program: string, ...args: string[]): Promise<string>;
  spawn(program: string, ...args: string[]): ChildProcess;
  /** Ends the process, and with it the namespace. */
  end(): Promise<void>;
}

/**
 * Fails loudly where namespaces, bridges and firewall rules cannot be made, or would be made on a real host.
 * @throws Error with what to run instead
 */
export function requirePrivateNetwork(): void {
  const advice =
    "run it in a network of its own: unshare --net --mount sh -c 'ip link set lo up; " +
    "mount -t sysfs sysfs /sys; npx vitest run --project contract test/contract/network.test.ts'";
  if (process.getuid?.() !== 0) throw new Error(`this test needs root; ${advice}`);
  const routes = readFileSync('/proc/net/route', 'latin1').split('\n').slice(1);
  if (routes.some((route) => route.split('\t')[1] === '00000000')) {
    throw new Error(
      `this test changes bridges and firewall rules, and this network leads outside; ${advice}`,
    );
  }
}

const SLEEP = 'exec sleep 600';
const WITHOUT_IPV6 = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6';

/** @param options.ipv6 false as Docker makes its containers' namespaces, unless their networks have IPv6 */
export async function startNamespace({ ipv6 = true } = {}): Promise<LabNamespace> {
  const script = ipv6 ? SLEEP : `${WITHOUT_IPV6} && ${SLEEP}`;
  const sleeper = spawn('unshare', ['--net', 'sh', '-c', script], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => sleeper.once('exit', () => resolve()));
  const nsPath = `/proc/${sleeper.pid}/ns/net`;
  const ours = statSync('/proc/self/ns/net').ino;
  const inode = await eventually(
    () => {
      const { ino } = statSync(nsPath);
      if (ino === ours) throw new Error('unshare has not made the namespace');
      return ino;
    },
    { every: 5 },
  );
  return {
    nsPath,
    inode,
    run: (program, ...args) => succeed('nsenter', [`--net=${nsPath}`, program, ...args]),
    spawn: (program, ...args) => spawn('nsenter', [`--net=${nsPath}`, program, ...args], { stdio: 'ignore' }),
    end: () => {
      sleeper.kill('SIGKILL');
      return ended;
    },
  };
}
