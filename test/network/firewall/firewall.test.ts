import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLogger } from '../../../src/runtime/log.ts';
import { temporaryFolder } from '../../support/folder.ts';

/** Logs each call, and keeps the rules of all tables in one file per family. */
const IPTABLES = `#!/bin/sh
cd "$(dirname "$0")" && name="$(basename "$0")" && echo "$name $*" >> calls
case "$*" in
  *DOCKER*) ;;
  *' -S') cat "rules.$name" ;;
  *' -I '*) { echo "-A $(echo "$*" | sed 's/.* -I //')"; cat "rules.$name"; } > new && mv new "rules.$name" ;;
  *) exit 1 ;;
esac
`;
const RESTORE = `#!/bin/sh
cd "$(dirname "$0")" && name="$(basename "$0")" && echo "$name $*" >> calls && rules="rules.\${name%-restore}"
{ grep '^-I' | sed 's/^-I/-A/' | tac; cat "$rules"; } > new && mv new "$rules"
`;
const FAILING = '#!/bin/sh\nexit 1\n';

/** A host whose iptables commands are these scripts; rules of others are there already. */
async function hostWith(restore: string) {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const scripts = { iptables: IPTABLES, ip6tables: IPTABLES };
  const restores = { 'iptables-restore': restore, 'ip6tables-restore': restore };
  for (const [name, script] of Object.entries({ ...scripts, ...restores })) {
    await writeFile(join(folder.path, name), script);
    await chmod(join(folder.path, name), 0o755);
  }
  const write = (name: string, text: string) => writeFile(join(folder.path, name), text);
  await write('rules.iptables', '-A FORWARD -j DROP\n');
  await write('rules.ip6tables', '');
  vi.stubEnv('PATH', `${folder.path}:${process.env.PATH ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.resetModules();
  const { IptablesFirewall } = await import('../../../src/network/firewall/firewall.ts');
  const firewall = new IptablesFirewall(
    { log: silentLogger },
    { bridge: 'weave', localBridges: ['docker0'] },
  );
  const lines = async (name: string) =>
    (await readFile(join(folder.path, name), 'utf8')).split('\n').filter((line) => line !== '');
  return {
    firewall,
    rules: () => lines('rules.iptables'),
    /** The calls that do not list rules, and clears them. */
    changes: async () => {
      const calls = await lines('calls');
      await write('calls', '');
      return calls.filter((call) => call.startsWith('iptables') && !/ -S\b/.test(call));
    },
  };
}

test('one process inserts all rules of a table, in the order of one process for each', async () => {
  const single = await hostWith(FAILING);
  await single.firewall.ensureRules();
  expect(await single.rules()).toHaveLength(8);
  expect(await single.changes()).toHaveLength(14);

  const together = await hostWith(RESTORE);
  await together.firewall.ensureRules();
  expect(await together.rules()).toEqual(await single.rules());
  expect(await together.changes()).toEqual(['iptables-restore -w --noflush']);
  await together.firewall.ensureRules();
  expect(await together.changes()).toEqual([]);
});

test('an iptables-restore that changes nothing is used once', async () => {
  const host = await hostWith(RESTORE.replace('rules="rules.', 'rules="other.').replace('cat "$rules";', ''));
  await host.firewall.ensureRules();
  expect(await host.rules()).toHaveLength(8);
  expect((await host.changes()).filter((call) => call.includes('restore'))).toHaveLength(1);
  const { firewall } = host;
  await firewall.masquerade([{ ip: '10.2.0.0', prefixLength: 16, family: 4 }]);
  expect((await host.changes()).filter((call) => call.includes('restore'))).toEqual([]);
});
