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

// Whoever reads our output may leave before its end: `heddle ps | head -1` is no failure.
process.stdout.on('error', () => process.exit(0));

const { run } = await import('./commands/cli.ts');
const status = await run(process.argv.slice(2), process, process.env);
// Not before the output is out: a pipe takes it in its own time.
process.stdout.write('', () => process.exit(status));
