/** Hands arguments, streams and environment to the command line, and its status to the system. */

const OLDEST_NODE = [22, 20] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `heddle: needs Node ${OLDEST_NODE.join('.')} or newer, and this is ${process.versions.node}\n`,
  );
  process.exit(1);
}

// Node keeps the libraries' deprecations to itself where it sees that they are libraries: built in, they are not.
process.noDeprecation = true;

// Each command would compile the same code anew, a sixth of its time. Where dist cannot be written, it does; and src
// is for those who change it.
if (import.meta.filename.endsWith('.js')) {
  // Not imported above: an old Node does not have it, and would say so instead of the sentence.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache(`${import.meta.dirname}/.compiled`);
}

const { guardStreams } = await import('./runtime/standard-streams.ts');
const end = guardStreams();
const { run } = await import('./cli/cli.ts');
end(await run(process.argv.slice(2), process, process.env));
