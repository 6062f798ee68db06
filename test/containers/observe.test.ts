import { expect, it } from 'vitest';
import { parsePolicy } from '../../src/addresses/policy.ts';
import { Observer } from '../../src/containers/observe.ts';
import { HeddleError } from '../../src/errors.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import type { AttachOptions } from '../../src/state/attach-options.ts';
import { snapshot } from '../support/snapshot.ts';

function rig({ options = {} }: { readonly options?: AttachOptions } = {}) {
  const attached: string[] = [];
  const gone = new HeddleError('not-running', 'no such process');
  const world = { processes: true };
  const observer = new Observer(
    {
      namespaceOf: async () => {
        if (!world.processes) throw gone;
        return { path: '/proc/7/ns/net', inode: 7 };
      },
      addressesIn: async () => [{ ip: '10.2.1.1', prefixLength: 16, family: 4, interface: 'ethwe' }],
      counted: async (_, __, addresses) => ({ addresses, ignored: [] }),
      attach: async (_, __, cidrs) => void attached.push(...cidrs.map(formatCidr)),
      wanted: async () => ({ cidrs: [parseCidr('10.2.1.1/16')], problem: undefined, refused: false }),
      optionsOf: () => options,
      leave: async () => {},
      stranded: { leftBy: async () => undefined, clear: async () => {} },
      found: async () => {},
      bridgeSubnets: async () => [],
      hostAddress: async () => undefined,
    },
    { policy: parsePolicy('ethwe,internal') },
  );
  const web = snapshot('a', { pid: 7, networks: [{ name: 'bridge', ipv4: '172.17.0.2', ipv6: '' }] });
  return { world, attached, look: () => observer.observe(web) };
}

it('a container whose process has gone is announced at no other address until its end is told', async () => {
  const { world, look } = rig();
  expect(await look()).toMatchObject({ choice: { ip: '10.2.1.1' }, awaitingAddress: false });
  world.processes = false;
  expect(await look()).toMatchObject({ awaitingAddress: true, problem: undefined });
});

it('where no process of a container can be seen, Docker’s address is what there is', async () => {
  const { world, look } = rig();
  world.processes = false;
  expect(await look()).toMatchObject({ choice: { ip: '172.17.0.2' }, awaitingAddress: false });
});

it('one that has its addresses is attached again only where it is to have no route for multicast', async () => {
  const plain = rig();
  await plain.look();
  expect(plain.attached).toEqual([]);
  const rewritten = rig({ options: { hosts: [] } });
  await rewritten.look();
  expect(rewritten.attached).toEqual([]);
  const chosen = rig({ options: { multicastRoute: false } });
  await chosen.look();
  expect(chosen.attached).toEqual(['10.2.1.1/16']);
});
