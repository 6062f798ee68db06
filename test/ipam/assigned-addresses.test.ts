import { expect, test } from 'vitest';
import { assignedTo } from '../../src/ipam/assigned-addresses.ts';
import { Claims } from '../../src/ipam/claims.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { Roster } from '../../src/roster/roster.ts';
import { MemoryState } from '../../src/state/state.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

test('an address belongs to the container that Docker or heddle assigned it to, even if another one has it', async () => {
  const claims = new Claims(await MemoryState.copyOf('/nonexistent'));
  const roster = new Roster();
  const run = (name: string, namespace: number, ip: string, more: object = {}) => {
    const entry = { ...entryOf({ id: containerId(name), ip, ...more }), namespace };
    roster.set(entry);
    return entry;
  };
  const networks = [{ name: 'bridge', ipv4: '172.17.0.2', ipv6: '' }];
  const victim = run('a', 1, '172.17.0.2', { networks });
  const sidecar = run('b', 1, '172.17.0.2', { networkMode: 'container:a' });
  const hostile = run('c', 2, '172.17.0.2');
  expect(assignedTo(claims, roster, '172.17.0.2', victim)).toBe('this');
  expect(assignedTo(claims, roster, '172.17.0.2', sidecar)).toBe('this');
  expect(assignedTo(claims, roster, '172.17.0.2', hostile)).toBe('another');
  expect(assignedTo(claims, roster, '10.9.9.9', hostile)).toBeUndefined();
  expect(assignedTo(claims, roster, '10.9.9.9', victim)).toBe('unsure');
  expect(assignedTo(claims, roster, '10.9.9.9', sidecar)).toBe('unsure');
  await claims.add(victim.snapshot.id, [parseCidr('10.2.1.1/16')]);
  expect(assignedTo(claims, roster, '10.2.1.1', victim)).toBe('this');
  expect(assignedTo(claims, roster, '10.2.1.1', hostile)).toBe('another');
});
