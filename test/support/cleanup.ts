import { removeContainers } from './engine.ts';
import { runProgram, succeed } from './program.ts';

/** What heddle has put on its host: the bridge, its ports and its tagged rules. Empty when nothing is left. */
export async function leftOnHost(bridge = 'weave'): Promise<string[]> {
  const links = await succeed('ip', ['-o', 'link', 'show']);
  const devices = [...links.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name = '']) => name);
  const ours = devices.filter((name) => name === bridge || name.startsWith('vethwl'));
  const rules = (await Promise.all(['iptables', 'ip6tables'].map(taggedRules))).flat();
  return [...ours, ...rules.map((rule) => rule.join(' '))];
}

/** Makes the world as empty as it was: no container, bridge or rule. For the end of every scenario. */
export async function clearWorld(bridge = 'weave'): Promise<void> {
  await removeContainers();
  await runProgram('ip', ['link', 'delete', bridge]);
  for (const command of ['iptables', 'ip6tables']) {
    for (const [chain, ...rule] of await taggedRules(command)) {
      await succeed(command, ['-w', '-D', chain as string, ...rule]);
    }
  }
}

/** Each as the words that delete it, chain first. */
async function taggedRules(command: string): Promise<string[][]> {
  const rules = await succeed(command, ['-w', '-S']);
  return rules
    .split('\n')
    .filter((line) => line.startsWith('-A ') && line.includes('--comment heddle'))
    .map((line) => line.split(' ').slice(1));
}
