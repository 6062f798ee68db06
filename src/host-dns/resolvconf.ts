import { hasBlock, withBlock, withoutBlock } from './block.ts';
import type { Plan, Target } from './plan.ts';

/** What stands in front of every resolv.conf that resolvconf writes: Debian's program of that name, and openresolv. */
export const HEADS = ['/etc/resolvconf/resolv.conf.d/head', '/etc/resolv.conf.head'] as const;
/** Only openresolv has it. */
export const OPENRESOLV_SETTINGS = '/etc/resolvconf.conf';

const UPDATE = ['resolvconf', '-u'] as const;

/** We are asked first; the servers that resolvconf knows of stand behind us, for us and for when we are away. */
export function planResolvconf(path: string, text: string | undefined, { address }: Target): Plan {
  const after = withBlock(text, [`nameserver ${address}`]);
  return { resolver: 'resolvconf', change: { path, before: text, after }, command: UPDATE };
}

/** Takes our lines out again. */
export function undoResolvconf(path: string, text: string | undefined): readonly Plan[] {
  if (!hasBlock(text)) return [];
  return [
    { resolver: 'resolvconf', change: { path, before: text, after: withoutBlock(text) }, command: UPDATE },
  ];
}
