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
  *' -S') LIST ;;
  *' -I '*) { echo "-A $(echo "$*" | sed 's/.* -I //')"; cat "rules.$name"; } > new && mv new "rules.$name" ;;
  *) exit 1 ;;
esac
`;
/** A host whose iptables commands are these scripts; rules of others are there already. */
async function host(list = 'cat "rules.$name"') {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  for (const name of ['iptables', 'ip6tables']) {
    await writeFile(
      join(folder.path, name),
      IPTABLES.replace('LIST', () => list),
    );
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

const network = { ip: '10.2.0.0', prefixLength: 16, family: 4 } as const;

test('an empty table is filled by one process a rule', async () => {
  const { firewall, rules, changes } = await host();
  await firewall.ensureRules();
  expect(await rules()).toHaveLength(8);
  const first = await changes();
  expect(first).toHaveLength(7);
  expect(first.every((call) => call.includes(' -I '))).toBe(true);
  await firewall.ensureRules();
  expect(await changes()).toEqual([]);
});

test('a rule that two networks share is inserted once', async () => {
  const { firewall, changes } = await host();
  await firewall.masquerade([network, network]);
  expect(await changes()).toHaveLength(3);
});

test('a list without our rules is believed once: then each rule is looked for before it is inserted', async () => {
  const { firewall, changes } = await host('true');
  await firewall.ensureRules();
  await changes();
  await firewall.ensureRules();
  expect((await changes()).filter((call) => call.includes(' -C '))).toHaveLength(7);
});
