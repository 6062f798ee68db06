import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deleteRule, type TaggedRule, taggedRules } from '../rules.ts';
import { importImage, writeBusyboxTar } from '../world/busybox.ts';

const BRIDGE = 'weave';
/** Prefix of the demo's container names. */
export const PREFIX = 'heddle-demo-';

/** What the demo may add to a host; recorded at the start, so that exactly the additions can be removed. */
interface Inventory {
  readonly containers: readonly string[];
  readonly hasBusybox: boolean;
  readonly hasBridge: boolean;
  readonly rules: readonly TaggedRule[];
}

/** The host on which the demo runs; it is restored to its former state afterwards. */
export class DemoHost {
  /** For the daemon's state and, on a shared host, its control socket. */
  readonly folder: string;
  readonly #before: Inventory;

  private constructor(folder: string, before: Inventory) {
    this.folder = folder;
    this.#before = before;
  }

  /** Records the host's state; changes nothing but a temporary folder. */
  static async find(): Promise<DemoHost> {
    const before = await inventory();
    return new DemoHost(mkdtempSync(join(tmpdir(), 'heddle-demo-')), before);
  }

  /** Imports the image `busybox` if the engine has none. */
  async prepare(): Promise<void> {
    if (this.#before.hasBusybox) return;
    const tar = join(this.folder, 'busybox.tar');
    writeBusyboxTar(tar);
    await importImage(tar, 'busybox:latest', ['CMD ["sh"]']);
  }

  /** Removes everything that was added since; a failing step does not stop the others. @throws AggregateError of these */
  async restore(): Promise<void> {
    const now = await inventory();
    const added = now.containers.filter((id) => !this.#before.containers.includes(id));
    const isNew = ({ line }: TaggedRule) => !this.#before.rules.some((old) => old.line === line);
    const steps: (() => Promise<unknown>)[] = [
      ...added.map((id) => () => run('docker', ['rm', '--force', '--volumes', id])),
      ...now.rules.filter(isNew).map((rule) => () => deleteRule(rule)),
    ];
    if (now.hasBridge && !this.#before.hasBridge) steps.push(() => run('ip', ['link', 'delete', BRIDGE]));
    if (now.hasBusybox && !this.#before.hasBusybox)
      steps.push(() => run('docker', ['image', 'rm', 'busybox:latest']));
    const failures: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => failures.push(error));
    rmSync(this.folder, { recursive: true, force: true });
    if (failures.length > 0)
      throw new AggregateError(failures, `clean-up was not complete: ${failures.join('; ')}`);
  }
}

const run = promisify(execFile);

async function inventory(): Promise<Inventory> {
  const list = async (...args: string[]) => (await run('docker', args)).stdout.split('\n').filter(Boolean);
  return {
    containers: await list('ps', '--all', '--quiet', '--no-trunc', '--filter', `name=^/?${PREFIX}`),
    hasBusybox: (await list('images', '--quiet', 'busybox:latest')).length > 0,
    hasBridge: existsSync(`/sys/class/net/${BRIDGE}`),
    rules: await taggedRules(),
  };
}
