import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildImage as build, CONTEXT } from '../../scripts/image/build.ts';
import { ROOT } from '../../scripts/root.ts';
import { baseImageTar } from '../../scripts/setup/base-image.mjs';
import { importImage } from '../../scripts/world/busybox.ts';
import { worldFolder } from '../../scripts/world/engine.ts';
import { runProgram } from './program.ts';

/** The base image under test, made by debootstrap. */
const BASE = 'heddle-base:latest';

/** The image of this clone, built once for each content in the world's engine; returns its tag. */
export async function buildImage(): Promise<string> {
  worldFolder();
  const tag = `heddle:${contentHash()}`;
  await debianImage();
  if (!(await isThere(tag))) await build({ tags: [tag], base: BASE, quiet: true });
  return tag;
}

/** Debian with Node and perl, imported once into the world's engine; returns its tag. */
export async function debianImage(): Promise<string> {
  worldFolder();
  if (!(await isThere(BASE))) await importImage(process.env.HEDDLE_TEST_BASE_TAR ?? baseImageTar(), BASE, []);
  return BASE;
}

async function isThere(tag: string): Promise<boolean> {
  return (await runProgram('docker', ['image', 'inspect', tag])).status === 0;
}

function contentHash(): string {
  const hash = createHash('sha256');
  const files = CONTEXT.flatMap((name) => {
    const path = join(ROOT, name);
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .map((inner) => join(path, inner))
      .filter((inner) => statSync(inner).isFile());
  });
  for (const path of files.sort()) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}
