import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatRequest } from '../../src/ipam/request.ts';
import { metadataRequests } from '../../src/run/metadata-requests.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';

let folder: TemporaryFolder;
const files = {
  env: '# addresses\nA=1\n  WEAVE_CIDR=10.2.1.1/16 10.3.1.1/24\n',
  byName: '\uFEFFWEAVE_CIDR\r\n',
  none: 'WEAVE_CIDR=none',
  labels: 'other=1\nheddle.cidr=10.2.1.5/16\n',
  quoted: '#WEAVE_CIDR=10.2.1.9/16\n',
};
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
});
afterAll(() => folder[Symbol.asyncDispose]());

const asked = async (line: string) => {
  const options = line
    .split(' ')
    .map((text) =>
      text.replace('@', `${folder.path}/`).replaceAll('_', ' ').replaceAll('WEAVE CIDR', 'WEAVE_CIDR'),
    );
  const found = await metadataRequests(line === '' ? [] : options, { WEAVE_CIDR: '10.2.1.7/16' });
  return found.map(formatRequest).join(' ');
};

it.each([
  ['', 'net:default'],
  ['-e WEAVE_CIDR=10.2.1.1/16', '10.2.1.1/16'],
  ['-e WEAVE_CIDR=10.2.1.1/16_net:10.32.5.0/24', '10.2.1.1/16 net:10.32.5.0/24'],
  ['--env WEAVE_CIDR=ip:10.2.1.1/16', '10.2.1.1/16'],
  ['--env=WEAVE_CIDR=10.2.1.1/16', '10.2.1.1/16'],
  ['-eWEAVE_CIDR=10.2.1.1/16', '10.2.1.1/16'],
  ['-e=WEAVE_CIDR=10.2.1.1/16', '10.2.1.1/16'],
  ['-ite WEAVE_CIDR=10.2.1.1/16', '10.2.1.1/16'],
  ['-e WEAVE_CIDR', '10.2.1.7/16'],
  ['--env-file @env', '10.2.1.1/16 10.3.1.1/24'],
  ['--env-file=@byName', '10.2.1.7/16'],
  ['--env-file @quoted', 'net:default'],
  ['--env-file @env -e WEAVE_CIDR=10.2.1.2/16', '10.2.1.2/16'],
  ['-e WEAVE_CIDR=10.2.1.2/16 --env-file @env', '10.2.1.2/16'],
  ['-e WEAVE_CIDR=10.2.1.1/16 -e WEAVE_CIDR=10.2.1.2/16', '10.2.1.2/16'],
  ['--label heddle.cidr=10.2.1.5/16', '10.2.1.5/16'],
  ['-l heddle.cidr=10.2.1.5/16 -e WEAVE_CIDR=10.2.1.1/16', '10.2.1.5/16'],
  ['-l WEAVE_CIDR=10.2.1.5/16', '10.2.1.5/16'],
  ['--label-file @labels', '10.2.1.5/16'],
  ['--label-file @labels --label heddle.cidr=none', ''],
  ['-e WEAVE_CIDR=none', ''],
  ['--env-file @none', ''],
  ['--label heddle.cidr=none -e WEAVE_CIDR=10.2.1.1/16', ''],
  ['-e WEAVE_CIDR=', 'net:default'],
  ['--label heddle.cidr', 'net:default'],
  // docker itself reports a missing file. The value of another option is no variable.
  ['--env-file @nowhere', 'net:default'],
  ['--name -e --hostname WEAVE_CIDR=10.2.1.1/16', 'net:default'],
  ['--build-arg WEAVE_CIDR=10.2.1.1/16', 'net:default'],
])('%s requests %s', async (line, expected) => {
  expect(await asked(line)).toBe(expected);
});

it.each(['-e WEAVE_CIDR=10.2.1.300/16', '--env-file @env --label heddle.cidr=web'])(
  '%s is rejected',
  async (line) => {
    await expect(asked(line)).rejects.toThrow(/^(WEAVE_CIDR|heddle\.cidr): /);
  },
);
