import { describe, expect, it } from 'vitest';
import { HOST_COMMANDS } from '../../src/cli/program.ts';
import { whereToRun } from '../../src/cli/where.ts';

const OWN = { local: false, ownEngine: true };
const REMOTE = { local: false, ownEngine: false };

const named = (name: string) => {
  const command = HOST_COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  return command;
};

describe('where a command runs', () => {
  it.each([
    ['attach', OWN, 'host'],
    ['attach', REMOTE, 'host'],
    ['attach', { ...OWN, local: true }, 'here'],
    ['attach', { ...REMOTE, local: true }, 'here'],
    // It must work before Docker does; on another host only that host can create its bridge.
    ['create-bridge', OWN, 'here'],
    ['create-bridge', REMOTE, 'host'],
    ['create-bridge', { ...REMOTE, local: true }, 'here'],
    // Without a daemon it shows what this process can see; --local demands root instead.
    ['doctor', OWN, 'host-or-observe'],
    ['doctor', REMOTE, 'host-or-observe'],
    ['doctor', { ...OWN, local: true }, 'here'],
  ] as const)('%s, %j: %s', (name, facts, expected) => {
    expect(whereToRun(named(name), facts)).toBe(expected);
  });

  it('is the host for docker run, which is no command of the host itself', () => {
    expect(whereToRun({}, OWN)).toBe('host');
    expect(whereToRun({}, { ...OWN, local: true })).toBe('here');
  });
});
