import { defineConfig } from 'rolldown';
import manifest from './package.json' with { type: 'json' };
import { notices } from './scripts/build/notices.ts';

/** What dockerode loads for builds by BuildKit, which heddle never starts, and for ssh, where it uses the caller's. */
const UNNEEDED = ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'ssh2'];

/**
 * Makes dist/ of src/ and of the libraries in it: a few files instead of some hundreds, because finding and reading
 * each module costs more than what is in it. What is imported by a call stays a file of its own, loaded by that call.
 */
export default defineConfig({
  // What is started by name: by bin/heddle, in the container of another host, and in a container's network.
  input: { main: 'src/main.ts', here: 'src/here.ts', ask: 'src/doctor/ask.ts' },
  platform: 'node',
  // The oldest Node that main.ts lets in: what is newer in the language (`using`) is written out.
  transform: { target: `node${manifest.engines.node.slice('>='.length)}` },
  // It brings a library for each platform.
  external: ['koffi'],
  resolve: { alias: Object.fromEntries(UNNEEDED.map((name) => [name, false as const])) },
  plugins: [notices()],
  // Docstrings are read in src; here they are a fifth of what each command reads.
  output: {
    dir: 'dist',
    cleanDir: true,
    sourcemap: true,
    comments: { legal: true, jsdoc: false, annotation: false },
  },
});
