import { afterAll, afterEach, beforeAll } from 'vitest';
import { clearWorld } from './cleanup.ts';
import type { ConsulAgent } from './consul.ts';
import { removeContainers } from './engine.ts';
import { Daemon } from './heddle.ts';

interface ScenarioOptions {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs from before the daemon's start until after its end. */
  readonly consul?: ConsulAgent | undefined;
  /** Containers live until the end of the scenario; without it, each test's are removed after that test. */
  readonly keepContainers?: boolean;
}

/**
 * Registers the hooks that most scenarios share: one daemon for all tests of a file or `describe` block, started before
 * them and stopped after them, and a world that is empty again. The daemon can be used inside tests and hooks only.
 *
 * Hooks that a scenario adds itself: a `beforeAll` above this call runs before the daemon starts, one below it
 * afterwards. Hooks after tests run in reverse: an `afterAll` below this call still has the daemon, one above it finds
 * the world cleared.
 */
export function scenario({ flags, env, consul, keepContainers = false }: ScenarioOptions = {}): {
  readonly daemon: Daemon;
} {
  const daemon = new Daemon(flags, env);
  beforeAll(async () => {
    await consul?.start();
    await daemon.start();
  });
  if (!keepContainers) afterEach(removeContainers);
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await consul?.stop();
    await clearWorld();
  });
  return { daemon };
}
