import { expect, it } from 'vitest';
import { terminalLine } from '../../../src/commands/syntax/terminal-line.ts';
import { collect } from '../../../src/runtime/io.ts';

it('shows progress on a terminal, each state once, and leaves nothing', () => {
  const sink = collect();
  const line = terminalLine({ write: (text) => sink.write(text), isTTY: true });
  for (const text of ['1 MiB', '1 MiB', '2 MiB']) line?.show(text);
  line?.clear();
  line?.clear();
  expect(sink.text).toBe('\r1 MiB\u001b[K\r2 MiB\u001b[K\r\u001b[K');
});

it('shows nothing in a pipe or a log', () => {
  expect(terminalLine(collect())).toBeUndefined();
});
