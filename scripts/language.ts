/**
 * `node scripts/language.ts [path…]`: prints every retired word in sources and pages, or in those under the given
 * paths, as `file:line: "word"; write …`. Ends with 1 when there is any.
 */
import { describeFinding, retiredWords } from './language/retired.ts';

const paths = process.argv.slice(2).map((path) => path.replace(/\/$/, ''));
const isUnder = (file: string): boolean =>
  paths.length === 0 || paths.some((path) => file === path || file.startsWith(`${path}/`));
const findings = retiredWords().filter(({ file }) => isUnder(file));
for (const finding of findings) console.log(describeFinding(finding));
console.log(`${findings.length} retired words`);
process.exitCode = findings.length > 0 ? 1 : 0;
