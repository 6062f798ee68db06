import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineAddress, formatAddress } from '../../src/docker/engine-address.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'heddle-context-'));
  addContext('build', { Host: 'ssh://me@build' });
  addContext('plain', { Host: 'tcp://10.0.0.1:2375' });
});
afterEach(() => rmSync(home, { recursive: true }));

/** Written as `docker context create` does. */
function addContext(name: string, docker: object, tls?: Readonly<Record<string, string>>): void {
  const id = createHash('sha256').update(name).digest('hex');
  const write = (folder: string, file: string, text: string) => {
    mkdirSync(join(home, '.docker/contexts', folder), { recursive: true });
    writeFileSync(join(home, '.docker/contexts', folder, file), text);
  };
  write(`meta/${id}`, 'meta.json', JSON.stringify({ Name: name, Metadata: {}, Endpoints: { docker } }));
  for (const [file, text] of Object.entries(tls ?? {})) write(`tls/${id}/docker`, file, text);
}
const use = (currentContext: string) =>
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: {}, currentContext }));
const found = (env: Readonly<Record<string, string>> = {}) =>
  formatAddress(engineAddress({ HOME: home, ...env }));

describe('the context of the docker client', () => {
  it('is the one chosen by docker context use', () => {
    use('build');
    expect(found()).toBe('ssh://me@build');
  });

  it('is overridden by DOCKER_CONTEXT, and both by DOCKER_HOST', () => {
    use('build');
    expect(found({ DOCKER_CONTEXT: 'plain' })).toBe('tcp://10.0.0.1:2375');
    expect(found({ DOCKER_CONTEXT: 'plain', DOCKER_HOST: 'tcp://other:1' })).toBe('tcp://other:1');
    expect(found({ DOCKER_CONTEXT: 'default' })).toMatch(/^unix:/);
  });

  it('is ignored if none is chosen', () => {
    expect(found()).toMatch(/^unix:/);
    use('default');
    expect(found()).toMatch(/^unix:/);
  });

  it('is read from the folder DOCKER_CONFIG', () => {
    expect(found({ HOME: '/nowhere', DOCKER_CONFIG: join(home, '.docker'), DOCKER_CONTEXT: 'build' })).toBe(
      'ssh://me@build',
    );
  });

  it('brings its certificates', () => {
    const tls = { 'ca.pem': 'A', 'cert.pem': 'C', 'key.pem': 'K' };
    addContext('safe', { Host: 'tcp://10.0.0.2:2376', SkipTLSVerify: false }, tls);
    expect(engineAddress({ HOME: home, DOCKER_CONTEXT: 'safe' })).toEqual({
      ...{ kind: 'tcp', host: '10.0.0.2', port: 2376 },
      tls: { ca: 'A', cert: 'C', key: 'K', verify: true },
    });
  });

  it('is an error if it does not exist', () => {
    expect(() => found({ DOCKER_CONTEXT: 'nosuch' })).toThrow(
      /docker context 'nosuch' cannot be found.*docker context ls/,
    );
  });

  it('is named if its address cannot be parsed, and so is a file that cannot', () => {
    addContext('odd', { Host: 'npipe:////./pipe/docker' });
    expect(() => found({ DOCKER_CONTEXT: 'odd' })).toThrow(/docker context 'odd' is 'npipe:.*expected unix/);
    writeFileSync(join(home, '.docker/config.json'), '{');
    expect(() => found()).toThrow(/cannot read .*config\.json.*DOCKER_HOST/);
  });
});
