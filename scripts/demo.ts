/**
 * `npm run demo [-- --once] [-- --consul]`: shows what heddle does, with real commands and their real output. It uses
 * the Docker engine of DOCKER_HOST or the default socket if one answers, else a private one. It stays up until Ctrl-C,
 * or ends by itself with --once. It always cleans up.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runDemo } from './demo/story.ts';
import { ROOT } from './root.ts';
import { dockerHost, engineAnswers } from './setup/docker-host.mjs';
import { runInWorld } from './world/launch.ts';

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, consul: { type: 'boolean', default: false } },
});

// npm passes these flags to the demo, not to the set-up before it.
if (values.consul) execFileSync('node', [`${ROOT}/scripts/setup.mjs`, 'consul'], { stdio: 'inherit' });

if (await engineAnswers()) {
  console.log(`# Using the Docker engine at ${dockerHost()}.`);
  process.exitCode = await runDemo(values);
} else {
  console.log('# No Docker engine answers here, so the demo starts a private one.');
  const story = fileURLToPath(new URL('./demo/in-world.ts', import.meta.url));
  const flags = Object.entries(values).flatMap(([name, given]) => (given ? [`--${name}`] : []));
  const entered = (pid: number) =>
    console.log(`# To look around from a second terminal: nsenter --target ${pid} --all --wd=${ROOT}\n`);
  process.exitCode = await runInWorld([process.execPath, story, ...flags], {}, { entered });
}
