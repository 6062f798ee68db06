import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../../scripts/root.ts';
import { succeed } from '../../support/program.ts';
import type { RemoteEngine } from '../../support/remote-engine.ts';

export interface AloneParts {
  readonly there: RemoteEngine;
  readonly image: string;
}

/** What docs/remote.md does with the docker client alone, or less. */
export function withoutHeddle(parts: () => AloneParts): void {
  describe('without heddle here, docs/remote.md', () => {
    let there: RemoteEngine;
    let blocks: readonly string[];
    beforeAll(async () => {
      there = parts().there;
      const page = await readFile(join(ROOT, 'docs/remote.md'), 'utf8');
      const [, chapter = ''] = page.split('## Without heddle here');
      blocks = Array.from(chapter.matchAll(/```sh\n(.*?)```/gs), ([, block = '']) => block);
      await there.docker('rm', '-f', 'heddle', 'far');
      await there.docker('tag', parts().image, 'heddle');
      const sleeper = await there.docker('create', '--stop-signal', 'KILL', 'busybox');
      await there.docker('commit', '--change', 'CMD ["sleep", "600"]', sleeper, 'nginx');
      await there.docker('rm', sleeper);
    });
    const addresses = (name: string) =>
      there.docker('exec', name, 'ip', '-o', '-4', 'address', 'show', 'ethwe');

    test('runs commands by docker run alone, line by line as printed', async () => {
      const [definition = '', script = ''] = (blocks[0] ?? '').split('\n\n');
      const lines = script.split('\n');
      const [first, last] = [lines.indexOf('$heddle ps'), lines.indexOf('$heddle restart web')];
      expect(last - first).toBeGreaterThan(5);
      const sh = (...commands: readonly string[]) =>
        succeed('sh', ['-ec', [definition, ...commands].join('\n')], { env: there.env, timeout: 120_000 });
      const outputs = [await sh(...lines.slice(0, first))];
      // These change nothing, and need not wait for each other.
      outputs.push(...(await Promise.all(lines.slice(first, last).map((line) => sh(line)))));
      outputs.push(await sh(...lines.slice(last)));
      const printed = outputs
        .join('\n')
        .split('\n')
        .filter((line) => !/^[0-9a-f]{64}$/.test(line));
      for (const line of ['10.2.0.1', '10.2.1.1', 'web', expect.stringMatching(/^heddle \d/)]) {
        expect(printed).toContainEqual(line);
      }
      await expect(addresses('web')).rejects.toThrow(); // reset was the last but one
    });

    test('keeps a daemon by docker run, and runs commands in it by docker exec', async () => {
      const output = await succeed('sh', ['-ec', blocks[1] ?? ''], { env: there.env, timeout: 60_000 });
      expect(output.split('\n')).toContain('10.2.1.4');
      expect(output).toMatch(/^10\.2\.1\.3$/m);
      expect(await addresses('db')).toContain('inet 10.2.1.3/16');
    });

    test('attaches by curl alone', async () => {
      expect(await there.run('sh', '-ec', blocks[2] ?? '')).toContain('"StatusCode":0');
      expect(await addresses('web')).toContain('inet 10.2.1.5/16');
    });
  });
}
