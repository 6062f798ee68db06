import { expect, it } from 'vitest';
import { Impostors } from '../../src/containers/impostors.ts';
import { findImpostors } from '../../src/doctor/impostors.ts';
import { Claims } from '../../src/ipam/claims.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { Roster } from '../../src/roster/roster.ts';
import { createLogger } from '../../src/runtime/log.ts';
import { MemoryState } from '../../src/state/state.ts';
import { FakeNetworkEngine } from '../support/fake-network.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

it('logs once which container answers for an address assigned to another one', async () => {
  const claims = new Claims(new MemoryState());
  const roster = new Roster();
  const network = new FakeNetworkEngine();
  const lines: string[] = [];
  const log = createLogger({ level: 'info', pretty: false }, {
    write: (line: string) => void lines.push(line),
  } as never);
  const [web, thief] = [snapshot('web', { pid: 7 }), snapshot('thief', { pid: 8 })];
  for (const container of [web, thief]) roster.set(entryFor(container));
  await claims.add(web.id, [parseCidr('10.2.1.1/16')]);
  const impostors = new Impostors({ network, claims, roster, log });
  network.setBridgeNeighbours([
    { ip: '10.2.1.1', namespace: 7 },
    { ip: '10.2.1.9', namespace: 8 },
  ]);
  await impostors.check();
  expect(lines).toEqual([]);
  network.setBridgeNeighbours([{ ip: '10.2.1.1', namespace: 8 }]);
  for (let times = 0; times < 3; times++) await impostors.check();
  expect(lines).toEqual([expect.stringMatching(/it answers for 10\.2\.1\.1, which is assigned to 'web'/)]);
  expect(impostors.problems(thief.id)).toEqual([
    "it answers for 10.2.1.1, which is assigned to 'web', and may receive its traffic",
  ]);
  expect(impostors.problems(web.id)).toEqual([]);
  expect(findImpostors([web, thief], (id) => impostors.problems(id))).toMatchObject({
    state: 'failed',
    detail: expect.stringMatching(/^thief: it answers for 10\.2\.1\.1/),
    advice: expect.stringContaining('NET_RAW'),
  });
  network.setBridgeNeighbours([{ ip: '10.2.1.1', namespace: 7 }]);
  await impostors.check();
  expect(impostors.problems(thief.id)).toEqual([]);
  expect(findImpostors([web, thief], (id) => impostors.problems(id)).state).toBe('ok');
});
