import { expect, it } from 'vitest';
import { Claims } from '../../src/ipam/claims.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { MemoryState } from '../../src/state/state.ts';
import { attachmentOf } from '../support/attachment.ts';
import { FakeNetworkEngine } from '../support/fake-network.ts';

it('removes a released address from its owner, once', async () => {
  const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;
  const claims = new Claims(new MemoryState());
  const network = new FakeNetworkEngine();
  network.addNamespace('/ns');
  await network.ensureBridge();
  const target = { nsPath: '/ns', container: 'web' };
  const attachment = attachmentOf({ claims, network });
  await network.attach(target, [first, second]);
  await claims.add('web', [first, second]);
  await claims.release('web', [first]); // and killed
  await attachment.finishRelease(target);
  expect((await network.addresses('/ns')).map(({ ip }) => ip)).toEqual(['10.2.1.2']);
  await network.attach(target, [first]); // by another program
  await attachment.finishRelease(target);
  expect(await network.addresses('/ns')).toHaveLength(2);
});
