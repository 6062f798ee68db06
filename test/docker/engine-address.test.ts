import { describe, expect, it } from 'vitest';
import { engineAddress, formatAddress } from '../../src/docker/engine-address.ts';

const nothing = () => false;

describe('the engine that the environment names', () => {
  it.each([
    ['unset', {}, 'unix:///var/run/docker.sock'],
    ['empty', { DOCKER_HOST: ' ' }, 'unix:///var/run/docker.sock'],
    ['a socket', { DOCKER_HOST: 'unix:///run/other.sock' }, 'unix:///run/other.sock'],
    ['a host and port', { DOCKER_HOST: 'tcp://10.0.0.1:4000' }, 'tcp://10.0.0.1:4000'],
    ['no scheme', { DOCKER_HOST: 'build:2375' }, 'tcp://build:2375'],
    ['no port', { DOCKER_HOST: 'tcp://build' }, 'tcp://build:2375'],
    ['IPv6', { DOCKER_HOST: 'tcp://[fd00::1]:2375' }, 'tcp://[fd00::1]:2375'],
    ['ssh', { DOCKER_HOST: 'ssh://me@build' }, 'ssh://me@build'],
    ['ssh at another port', { DOCKER_HOST: 'ssh://build:2222' }, 'ssh://build:2222'],
  ])('%s', (_, env, address) => {
    expect(formatAddress(engineAddress(env, nothing))).toBe(address);
  });

  it("is registrator's socket if only that one is mounted", () => {
    expect(engineAddress({}, (path) => path === '/tmp/docker.sock')).toEqual({
      kind: 'unix',
      path: '/tmp/docker.sock',
    });
    expect(engineAddress({}, () => true)).toEqual({ kind: 'unix', path: '/var/run/docker.sock' });
  });

  it.each(['tcp://', 'ftp://x', 'http:// bad', 'ssh://x/run/d.sock'])(
    'refuses %s and says what it expected',
    (DOCKER_HOST) => {
      expect(() => engineAddress({ DOCKER_HOST })).toThrow(/DOCKER_HOST is .*expected unix:/);
    },
  );

  it('is an error that names an unreadable certificate', () => {
    const env = { DOCKER_HOST: 'tcp://x:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' };
    expect(() => engineAddress(env)).toThrow(/\/nowhere\/ca\.pem.*DOCKER_CERT_PATH/);
  });
});
