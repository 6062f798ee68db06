import { describe, expect, it } from 'vitest';
import { collect } from '../../src/io.ts';
import { runAttached } from '../../src/run/attached.ts';
import { parseRun } from '../../src/run/command.ts';

/** What the host is asked first; its answer is no, so that nothing is started. */
async function asked(line: string): Promise<string> {
  const words: string[] = [];
  const onHost = async (argv: readonly string[]) => words.push(...argv) && 7;
  const io = { stdout: collect(), stderr: collect() };
  expect(await runAttached(parseRun(line.split(' ')), onHost, io)).toBe(7);
  return words.join(' ');
}

describe('run asks the host once before it starts anything, and tells it none of docker’s arguments', () => {
  it.each([
    ['10.2.1.1/16 nginx', 'prepare-run 10.2.1.1/16'],
    ['nginx', 'prepare-run net:default'],
    ['10.2.1.1/16 -e PASSWORD=hush --dns-search=a nginx', 'prepare-run 10.2.1.1/16'],
    ['--with-dns 10.2.1.1/16 10.3.1.1/24 nginx', 'prepare-run --with-dns 10.2.1.1/16 10.3.1.1/24'],
    ['--with-dns 10.2.1.1/16 -e PASSWORD=hush nginx sh', 'prepare-run --with-dns 10.2.1.1/16'],
    [
      '--with-dns 10.2.1.1/16 --dns-search hush -h hush nginx',
      'prepare-run --with-dns --own-search 10.2.1.1/16',
    ],
    ['--with-dns 10.2.1.1/16 nginx --dns-search=a', 'prepare-run --with-dns 10.2.1.1/16'],
  ])('%s', async (line, expected) => {
    expect(await asked(line)).toBe(expected);
  });
});
