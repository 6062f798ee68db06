import { describe, expect, it } from 'vitest';
import { EndedProcesses } from '../../src/containers/ended-processes.ts';
import type { FollowerStatus } from '../../src/containers/follow.ts';
import { Roster } from '../../src/roster/roster.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

type Words = Parameters<typeof snapshot>[1] & { readonly namespace?: number | undefined };

function looking(stream: FollowerStatus['stream'], ...containers: readonly Words[]) {
  const roster = new Roster();
  for (const { namespace = 4711, ...changes } of containers) {
    const entry = entryFor(snapshot(changes?.name ?? 'web', changes), {});
    roster.set({ ...entry, namespace: 'namespace' in changes ? undefined : namespace });
  }
  const ended: string[] = [];
  const state = { stream };
  const follower = {
    status: () => ({ stream: state.stream }) as FollowerStatus,
    hasEnded: (id: string) => void ended.push(roster.get(id)?.snapshot.name ?? id),
  };
  const gone = new Set<string>();
  const isGone = async ({ name }: { readonly name: string }) => {
    if (name === 'unreadable') throw new Error('EACCES');
    return gone.has(name);
  };
  const part = new EndedProcesses({ roster, follower, isGone, log: silentLogger });
  return { part, gone, ended, state, roster };
}

describe('a container whose process has ended', () => {
  it('has ended while the engine is away; the others have not', async () => {
    const { part, gone, ended } = looking(
      'lost',
      { name: 'web', pid: 7 },
      { name: 'db', pid: 8 },
      { name: 'unreadable', pid: 9 },
    );
    await part.check();
    expect(ended).toEqual([]);
    gone.add('db');
    await part.check();
    expect(ended).toEqual(['db']);
  });

  it.each(['following', 'connecting'] as const)(
    'is left to the engine while its stream is %s',
    async (stream) => {
      const { part, gone, ended } = looking(stream, { name: 'web', pid: 7 });
      gone.add('web');
      await part.check();
      expect(ended).toEqual([]);
    },
  );

  it('was seen before: one that does not run, or was never seen, does not count', async () => {
    const { part, gone, ended, roster } = looking('lost', { name: 'stopped', pid: 0, running: false });
    roster.set({ ...entryFor(snapshot('unseen', { name: 'unseen', pid: 7 }), {}), namespace: undefined });
    for (const name of ['stopped', 'unseen']) gone.add(name);
    await part.check();
    expect(ended).toEqual([]);
  });

  it('is left to an engine that comes back during the check', async () => {
    const { part, gone, ended, state } = looking(
      'lost',
      ...Array.from({ length: 60 }, (_, at) => ({ name: `c${at}`, pid: at + 1 })),
    );
    gone.add('c59');
    const look = part.check();
    state.stream = 'following';
    await look;
    expect(ended).toEqual([]);
  });
});
