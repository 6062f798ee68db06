import { describe, expect, it } from 'vitest';
import { HostsFileEdits } from '../../src/hosts-file/edits.ts';
import { containerId } from '../support/snapshot.ts';

const process = (name: string) => ({ procfs: '/proc', pid: 1, containerId: containerId(name) });

/** Edits that end when the test completes them, and how many are running. */
function hanging() {
  const begun: { readonly id: string; readonly end: () => void }[] = [];
  const edit = ({ containerId: id }: { containerId: string }) =>
    new Promise<void>((resolve) => begun.push({ id, end: resolve }));
  return { begun, edits: new HostsFileEdits({ edit }, { patienceMs: 20 }) };
}

describe('edits of hosts files', () => {
  it('run one at a time for a container, in order', async () => {
    const order: string[] = [];
    const edits = new HostsFileEdits({
      edit: async (_, change) => {
        order.push(change('begin'));
        await new Promise((resolve) => setTimeout(resolve, 2));
        order.push(change('end'));
      },
    });
    const names = ['first', 'second', 'third'];
    await Promise.all(names.map((name) => edits.edit(process('web'), (text) => `${name} ${text}`)));
    expect(order).toEqual(names.flatMap((name) => [`${name} begin`, `${name} end`]));
  });

  it('block one thread for a hanging container, two in total, and no caller for long', async () => {
    const { begun, edits } = hanging();
    const asked = ['web', 'web', 'web', 'db', 'cache', 'cache'].map((name) =>
      edits.edit(process(name), (text) => text).catch(({ message }: Error) => message),
    );
    const answers = await Promise.all(asked);
    for (const answer of answers) expect(answer).toMatch(/has not answered for 0\.02 s/);
    expect(begun.map(({ id }) => id)).toEqual([containerId('web'), containerId('db')]);
    // Edits whose callers have timed out do not start when the containers recover.
    for (const { end } of begun) end();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(begun).toHaveLength(2);
    const next = edits.edit(process('cache'), (text) => text);
    await new Promise((resolve) => setTimeout(resolve, 0));
    begun.at(-1)?.end();
    await expect(next).resolves.toBeUndefined();
  });

  it('fail alone', async () => {
    const edits = new HostsFileEdits({
      edit: async ({ containerId: id }) => {
        if (id === containerId('web')) throw new Error('no');
      },
    });
    await expect(edits.edit(process('web'), (text) => text)).rejects.toThrow('no');
    await expect(edits.edit(process('db'), (text) => text)).resolves.toBeUndefined();
  });
});
