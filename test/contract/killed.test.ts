import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Claims } from '../../src/ipam/claims.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import { StateFile } from '../../src/state/state.ts';
import { attachmentOf } from '../support/attachment.ts';
import { temporaryFolder } from '../support/folder.ts';
import { kernelEngine } from '../support/kernel-engine.ts';
import {
  type LabNamespace,
  requirePrivateNetwork,
  startNamespace,
  TEST_BRIDGE,
} from '../support/namespaces.ts';
import { succeed } from '../support/program.ts';

/** What a process leaves that was killed after the first of its steps, after the second, and so on to its end. */
const PROCESS = fileURLToPath(new URL('../support/killed-process.ts', import.meta.url));
/** More steps than any action takes: reaching this number means that no kill happened. */
const MOST_STEPS = 40;
const ID = 'a1b2'.repeat(16);
const engine = kernelEngine();
const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;

const ips = async ({ nsPath }: LabNamespace): Promise<string[]> =>
  (await engine.addresses(nsPath)).map(({ ip }) => ip);
const exposed = async (): Promise<string[]> => (await engine.hostAddresses(TEST_BRIDGE)).map(formatCidr);
/** Of all devices of the host, whatever their names: a half-made pair would be one of them. */
const devices = async (): Promise<string[]> =>
  (JSON.parse(await succeed('ip', ['-j', 'link', 'show'])) as { ifname: string }[])
    .map(({ ifname }) => ifname)
    .sort();

/** @returns true when the process was killed at this step, false when it came to its end before. */
function killedAfter(step: number, verb: string, folder: string, ...args: string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [PROCESS, `${step}`, verb, folder, ...args], (error, _, stderr) => {
      if (error === null) resolve(false);
      else if (error.signal === 'SIGKILL') resolve(true);
      else reject(new Error(`${verb} failed before step ${step}: ${stderr}`));
    });
  });
}

interface Attempt {
  readonly target: LabNamespace & { readonly container: string };
  readonly folder: string;
}

/**
 * Runs a process once for each of its steps, with its own container and state folder, checks what it
 * left, and then finds nothing left of the container. @returns how many steps there were
 */
async function afterEachStep(
  verb: string,
  args: readonly string[],
  before: (attempt: Attempt) => Promise<void>,
  check: (attempt: Attempt) => Promise<void>,
): Promise<number> {
  await engine.ensureBridge();
  const without = await devices();
  for (let step = 1; step <= MOST_STEPS; step++) {
    await using folder = await temporaryFolder();
    const namespace = await startNamespace();
    const target = { ...namespace, container: ID };
    try {
      await before({ target, folder: folder.path });
      if (!(await killedAfter(step, verb, folder.path, target.nsPath, ID, ...args))) return step - 1;
      await check({ target, folder: folder.path }).catch((cause: unknown) => {
        throw new Error(`after step ${step} of ${verb}`, { cause });
      });
      expect(await devices(), `step ${step}`).toEqual(without);
    } finally {
      await namespace.end();
    }
  }
  throw new Error(`${verb} was still being killed at step ${MOST_STEPS}`);
}

const nothing = async (): Promise<void> => {};
const claimed = async (folder: string): Promise<string[] | undefined> =>
  new Claims(await StateFile.open(folder)).of(ID)?.map(formatCidr);

beforeAll(requirePrivateNetwork);
afterEach(() => engine.removeBridge());

describe('a process that is killed after any step of', () => {
  test('assigning addresses to a container leaves nothing assigned, or what the next process completes', async () => {
    const steps = await afterEachStep('give', ['10.2.1.1/16', '10.2.1.2/16'], nothing, async (attempt) => {
      const { target, folder } = attempt;
      const given = await claimed(folder);
      expect(given ?? ['10.2.1.1/16', '10.2.1.2/16']).toEqual(['10.2.1.1/16', '10.2.1.2/16']);
      const seen = await ips(target);
      // All or nothing: an address is there when the interface is up, and then all are.
      expect([[], ['10.2.1.1', '10.2.1.2']]).toContainEqual(seen);
      if (given === undefined) expect(seen).toEqual([]);
      expect(readdirSync(folder)).toContain('state.json');
      await engine.attach(target, [first, second]);
      expect(await ips(target)).toEqual(['10.2.1.1', '10.2.1.2']);
      expect(await engine.mac(target.nsPath)).toBe('0a:58:0a:02:01:01');
      await engine.detach(target, [first, second]);
    });
    expect(steps).toBeGreaterThanOrEqual(16);
  });

  test('releasing an address is finished by the next scan, unless it was never begun', async () => {
    const before = async ({ target, folder }: Attempt): Promise<void> => {
      await new Claims(await StateFile.open(folder)).add(ID, [first, second]);
      await engine.attach(target, [first, second]);
    };
    const steps = await afterEachStep('take', ['10.2.1.1/16'], before, async ({ target, folder }) => {
      const state = await StateFile.open(folder);
      const claims = new Claims(state);
      const isBegun = claims.of(ID)?.length === 1;
      await attachmentOf({ claims, network: engine }).finishRelease(target);
      expect(await ips(target)).toEqual(isBegun ? ['10.2.1.2'] : ['10.2.1.1', '10.2.1.2']);
      await state.close();
      expect(new Claims(await StateFile.open(folder)).releasing(ID)).toEqual([]);
      await engine.detach(target, [first, second]);
    });
    expect(steps).toBeGreaterThanOrEqual(16);
  });

  test('attaching leaves nothing that detach does not remove', async () => {
    await afterEachStep('attach', ['10.2.1.1/16', '10.2.1.2/16'], nothing, async ({ target }) => {
      await engine.detach(target, [first, second]);
      expect(await engine.mac(target.nsPath)).toBeUndefined();
    });
  });

  test('attaching a further address leaves the first one reachable, and the next one adds it', async () => {
    const before = async ({ target }: Attempt): Promise<void> => {
      await engine.attach(target, [first]);
    };
    const steps = await afterEachStep('attach', ['10.2.1.2/16'], before, async ({ target }) => {
      expect((await ips(target))[0]).toBe('10.2.1.1');
      await engine.attach(target, [second]);
      expect(await ips(target)).toEqual(['10.2.1.1', '10.2.1.2']);
      await engine.detach(target, [first, second]);
    });
    expect(steps).toBeGreaterThanOrEqual(6);
  });

  test.each([
    ['one address of two', ['10.2.1.1/16'], ['10.2.1.2'], 6],
    ['the last address', ['10.2.1.1/16', '10.2.1.2/16'], [], 4],
  ])('detaching %s is completed by repeating it', async (_, args, kept, least) => {
    const before = async ({ target }: Attempt): Promise<void> => {
      await engine.attach(target, [first, second]);
    };
    const steps = await afterEachStep('detach', args, before, async ({ target }) => {
      await engine.detach(target, args.map(parseCidr));
      expect(await ips(target)).toEqual(kept);
      // A MAC that came from the address would meet itself at the next holder.
      if (kept.length > 0) expect(await engine.mac(target.nsPath)).toBe('0a:58:0a:02:01:02');
      await engine.detach(target, [first, second]);
    });
    expect(steps).toBeGreaterThanOrEqual(least);
  });

  test('making, exposing and hiding the bridge is completed by repeating it', async () => {
    await using folder = await temporaryFolder();
    const args = ['-', '-', '10.2.0.1/16', '10.2.0.2/16'];
    const eachStep = async (verb: string, before: () => Promise<void>, check: () => Promise<void>) => {
      for (let step = 1; step <= MOST_STEPS; step++) {
        await before();
        if (!(await killedAfter(step, verb, folder.path, ...args))) return step - 1;
        await check();
      }
      return MOST_STEPS;
    };
    const cidrs = ['10.2.0.1/16', '10.2.0.2/16'];
    const again = async () => {
      await engine.expose(cidrs.map(parseCidr));
      expect(await exposed()).toEqual(cidrs);
      expect(await succeed('ip', ['link', 'show', TEST_BRIDGE])).toMatch(/[<,]UP[,>].*mtu 1450/);
    };
    const removed = () => engine.removeBridge();
    expect(await eachStep('bridge', removed, again)).toBeGreaterThanOrEqual(2);
    expect(await eachStep('expose', removed, again)).toBeGreaterThanOrEqual(6);
    const hidden = async () => {
      await engine.hide(cidrs.map(parseCidr));
      expect(await exposed()).toEqual([]);
    };
    expect(await eachStep('hide', again, hidden)).toBeGreaterThanOrEqual(3);
  });
});
