import { deleteRule, taggedRules } from '../../scripts/rules.ts';
import { removeContainers } from './engine.ts';
import { runProgram, succeed } from './program.ts';

/** What heddle has put on its host: the bridge, its ports and its tagged rules. Empty when nothing is left. */
export async function leftOnHost(bridge = 'weave'): Promise<string[]> {
  const links = await succeed('ip', ['-o', 'link', 'show']);
  const devices = [...links.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name = '']) => name);
  const ours = devices.filter((name) => name === bridge || name.startsWith('vethwl'));
  const rules = (await taggedRules()).map(({ command, line }) => `${command} ${line}`);
  return [...ours, ...rules];
}

/** Makes the world as empty as it was: no container, bridge or rule. For the end of every scenario. */
export async function clearWorld(bridge = 'weave'): Promise<void> {
  await removeContainers();
  await runProgram('ip', ['link', 'delete', bridge]);
  for (const rule of await taggedRules()) await deleteRule(rule);
}
