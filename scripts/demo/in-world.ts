/** The demo's program inside a world of its own; started by demo.ts. */
import { parseArgs } from 'node:util';
import { runDemo } from './story.ts';

const { values } = parseArgs({
  options: { once: { type: 'boolean', default: false }, consul: { type: 'boolean', default: false } },
});
process.exitCode = await runDemo(values);
