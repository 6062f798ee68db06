import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../scripts/root.ts';
import { CAPABILITIES, MOUNTS } from '../../src/docker/heddle-container.ts';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');
/** A helper answers no clients, so it binds no port. */
const OF_A_HELPER = CAPABILITIES.filter((capability) => capability !== 'NET_BIND_SERVICE');

/** The `docker run` commands of a page that choose capabilities, each on one line. */
function commandsIn(page: string): readonly string[] {
  return page
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.includes('docker run') && line.includes('--cap-drop ALL'));
}

const valuesOf = (command: string, option: string): readonly string[] =>
  Array.from(command.matchAll(new RegExp(`\\s${option} (\\S+)`, 'g')), ([, value = '']) => value);

describe('capabilities and mounts are those that launch uses', () => {
  test.each([
    ['README.md', 'heddle daemon'],
    ['docs/remote.md', 'heddle daemon'],
    ['docs/remote.md', 'heddle --local'],
  ])('in %s, for %s', async (path, program) => {
    const commands = commandsIn(await read(path)).filter((command) => command.includes(program));
    expect(commands).not.toEqual([]);
    const capabilities = program === 'heddle daemon' ? CAPABILITIES : OF_A_HELPER;
    for (const command of commands) {
      expect(valuesOf(command, '--cap-add').toSorted()).toEqual([...capabilities].toSorted());
      expect(valuesOf(command, '-v').toSorted()).toEqual([...MOUNTS].toSorted());
    }
  });

  test('in examples/compose/compose.yml', async () => {
    const { services } = parse(await read('examples/compose/compose.yml'));
    expect(services.heddle).toMatchObject({
      network_mode: 'host',
      cap_drop: ['ALL'],
      cap_add: [...CAPABILITIES],
      volumes: [...MOUNTS],
    });
  });

  test('in examples/systemd/heddle.service, which has no mounts', async () => {
    const unit = await read('examples/systemd/heddle.service');
    const capabilities = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    // A daemon outside a container may also bypass file permissions.
    const expected = [...CAPABILITIES, 'DAC_OVERRIDE'].map((name) => `CAP_${name}`);
    expect(capabilities.toSorted()).toEqual(expected.toSorted());
  });
});
