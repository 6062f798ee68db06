import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../root.ts';
import { productionModules } from './modules.ts';
import { version } from './version.ts';

/** Whether the docker client has the buildx plugin; Debian and others package it separately. */
function hasBuildx(): boolean {
  return spawnSync('docker', ['buildx', 'version'], { stdio: 'ignore' }).status === 0;
}

export interface ImageOptions {
  readonly tags: readonly string[];
  /** Instead of the base that the Dockerfile names. */
  readonly base?: string | undefined;
  /** Shows the builder's output only if it fails. */
  readonly quiet: boolean;
}

/** What goes into the image besides the modules; its content depends on nothing else. */
export const CONTEXT = ['Dockerfile', 'LICENSE', 'package.json', 'package-lock.json', 'bin', 'dist'] as const;

/** Builds the image of this clone from a temporary context folder. @throws Error with the end of the builder's output */
export async function buildImage({ tags, base, quiet }: ImageOptions): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'heddle-image-'));
  try {
    for (const name of CONTEXT) cpSync(join(ROOT, name), join(context, name), { recursive: true });
    const modules = join(context, 'node_modules.tar');
    execFileSync('tar', ['-C', ROOT, '--owner=0', '--group=0', '-cf', modules, ...productionModules()]);
    const settings = [`VERSION=${version}`, ...(base === undefined ? [] : [`BASE=${base}`])];
    const flags = [
      ...settings.flatMap((setting) => ['--build-arg', setting]),
      ...tags.flatMap((tag) => ['--tag', tag]),
    ];
    await dockerBuild([...flags, context], quiet);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/**
 * Uses buildx if the docker client has it, else the engine's classic builder, which is deprecated. `--load` brings the
 * image into the engine, whichever builder buildx uses.
 */
async function dockerBuild(args: readonly string[], quiet: boolean): Promise<void> {
  const buildx = hasBuildx();
  const env = buildx ? process.env : { ...process.env, DOCKER_BUILDKIT: '0' };
  const command = buildx ? ['buildx', 'build', '--load'] : ['build'];
  const build = spawn('docker', [...command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [build.stdout, build.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-10_000);
      if (!quiet) process.stderr.write(chunk);
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    build.once('error', reject);
    build.once('close', resolve);
  });
  if (status !== 0) throw new Error(`docker build ended with status ${status}:\n${said}`);
}
