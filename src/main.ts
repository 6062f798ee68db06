/** Passes arguments, streams and environment to the command line, and its exit status to the system. */

const OLDEST_NODE = [22, 20] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `heddle: needs Node ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}\n`,
  );
  process.exit(1);
}

// Node hides deprecation warnings of code in node_modules. In the bundle, the libraries' code is outside node_modules.
process.noDeprecation = true;

// Without the cache, compiling takes a sixth of each command's time. Nothing is cached if dist is not writable. src
// runs uncached: it is for development.
if (import.meta.filename.endsWith('.js')) {
  // Imported here: an old Node lacks it, and would fail at the import instead of printing the message above.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(`${import.meta.dirname}/.compiled`);
}

const { guardStreams } = await import('./runtime/standard-streams.ts');
const end = guardStreams();
const { run } = await import('./cli/cli.ts');
end(await run(process.argv.slice(2), process, process.env));
