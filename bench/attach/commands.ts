import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { HEDDLE } from '../../test/support/heddle.ts';
import { buildImage } from '../../test/support/image.ts';
import { startRemoteEngine } from '../../test/support/remote-engine.ts';
import { type Figures, figures } from '../registration/figures.ts';

const run = promisify(execFile);

async function timeOf(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const from = performance.now();
  await run(program, args, { env: { ...process.env, ...env } });
  return performance.now() - from;
}

/** Measures both alternately, so that other load on the machine affects both alike. */
async function inTurn(
  rounds: number,
  one: (round: number) => Promise<number>,
  other: (round: number) => Promise<number>,
): Promise<readonly [Figures, Figures]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const taken = [await one(round), await other(round)] as const;
    if (round > 0) for (const index of [0, 1] as const) times[index].push(taken[index]);
  }
  return [figures(times[0]), figures(times[1])];
}

/** `heddle version`, and Node with an empty program. */
export async function measureStart(rounds: number): Promise<{ version: Figures; node: Figures }> {
  const [version, node] = await inTurn(
    rounds,
    () => timeOf(HEDDLE, ['version'], {}),
    () => timeOf(process.execPath, ['-e', '0'], {}),
  );
  return { version, node };
}

/** `heddle attach` on another host, reached only over TCP, and `docker exec true` in the same container. */
export async function measureRemote(rounds: number): Promise<{ attach: Figures; exec: Figures }> {
  const image = await buildImage();
  await using there = await startRemoteEngine();
  await there.load('busybox');
  const env = { ...there.env, HEDDLE_IMAGE: image };
  await run(HEDDLE, ['launch', '--load'], { env: { ...process.env, ...env } });
  await there.docker('run', '-d', '--init', '--name', 'far', 'busybox', 'sleep', '3600');
  const [attach, exec] = await inTurn(
    rounds,
    (round) => timeOf(HEDDLE, ['attach', `10.2.1.${round + 1}/16`, 'far'], env),
    () => timeOf('docker', ['exec', 'far', 'true'], env),
  );
  return { attach, exec };
}
