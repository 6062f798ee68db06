import { expect, it } from 'vitest';
import { parsePolicy } from '../../src/addresses/policy.ts';
import { Observer } from '../../src/containers/observe.ts';
import { HeddleError } from '../../src/errors.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import type { AttachOptions } from '../../src/state/attach-options.ts';
import { observerNeeds } from '../support/observer.ts';
import { snapshot } from '../support/snapshot.ts';

function rig({ options = {} }: { readonly options?: AttachOptions } = {}) {
  const attached: string[] = [];
  const gone = new HeddleError('not-running', 'no such process');
  const world = { processes: true };
  const observer = new Observer(
    observerNeeds({
      namespaceOf: async () => {
        if (!world.processes) throw gone;
        return { path: '/proc/7/ns/net', inode: 7 };
      },
      reader: { read: async () => [{ ip: '10.2.1.1', prefixLength: 16, family: 4, interface: 'ethwe' }] },
      claims: { optionsOf: () => options },
      addressing: {
        wanted: async () => ({ cidrs: [parseCidr('10.2.1.1/16')], problem: undefined, refused: false }),
        expected: () => ({ cidrs: [], problem: undefined, refused: false }),
        adopt: async () => {},
      },
      attachment: {
        connect: async (_, __, cidrs) => void attached.push(...cidrs.map(formatCidr)),
        finishRelease: async () => {},
      },
    }),
    { policy: parsePolicy('ethwe,internal'), attaches: true },
  );
  const web = snapshot('a', { pid: 7, networks: [{ name: 'bridge', ipv4: '172.17.0.2', ipv6: '' }] });
  return { world, attached, inspect: () => observer.observe(web) };
}

it('a container whose process has ended is announced at no other address until its end is reported', async () => {
  const { world, inspect } = rig();
  expect(await inspect()).toMatchObject({ choice: { ip: '10.2.1.1' }, awaitingAddress: false });
  world.processes = false;
  expect(await inspect()).toMatchObject({ awaitingAddress: true, problem: undefined });
});

it('where no process of a container can be seen, Docker’s address is announced', async () => {
  const { world, inspect } = rig();
  world.processes = false;
  expect(await inspect()).toMatchObject({ choice: { ip: '172.17.0.2' }, awaitingAddress: false });
});

it('a container that has its addresses is attached again only if it must have no multicast route', async () => {
  const plain = rig();
  await plain.inspect();
  expect(plain.attached).toEqual([]);
  const rewritten = rig({ options: { hosts: [] } });
  await rewritten.inspect();
  expect(rewritten.attached).toEqual([]);
  const chosen = rig({ options: { multicastRoute: false } });
  await chosen.inspect();
  expect(chosen.attached).toEqual(['10.2.1.1/16']);
});
