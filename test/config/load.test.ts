import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(text: string): Promise<string> {
  const path = join(folder, 'heddle.yml');
  await writeFile(path, text);
  return path;
}

const none = { flags: {}, env: {} };

describe('settings', () => {
  it('have defaults that need nothing but Docker', async () => {
    const { settings, origins } = await loadSettings(none);
    expect(settings).toMatchObject({
      registry: { kind: 'embedded' },
      bridge: 'weave',
      interface: 'ethwe',
      mtu: 1450,
      domain: 'consul',
      dnsListen: [],
      dns: true,
      stateDir: '/var/lib/heddle',
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  });

  it('take flags over environment over file over defaults, and keep the origin', async () => {
    const path = await file('mtu: 1300\nbridge: from-file\ndomain: from.file\n');
    const { settings, origins } = await loadSettings({
      flags: { mtu: '1200' },
      env: { HEDDLE_MTU: '1250', HEDDLE_BRIDGE: 'from-env', DOCKER_BRIDGE: 'docker7' },
      file: path,
    });
    expect(settings).toMatchObject({
      mtu: 1200,
      bridge: 'from-env',
      domain: 'from.file',
      dockerBridge: 'docker7',
    });
    expect(origins).toMatchObject({
      mtu: '--mtu',
      bridge: 'HEDDLE_BRIDGE',
      domain: path,
      dockerBridge: 'DOCKER_BRIDGE',
    });
  });

  it.each([
    [
      'CONSUL_HTTP_ADDR',
      '10.0.0.1:8500',
      { registry: { kind: 'consul', host: '10.0.0.1', port: 8500, tls: false } },
    ],
    [
      'CONSUL_HTTP_ADDR',
      'https://consul:8501',
      { registry: { kind: 'consul', host: 'consul', port: 8501, tls: true } },
    ],
    ['CONSUL_HTTP_TOKEN', 'secret', { consulToken: 'secret' }],
    ['CONSUL_HTTP_TOKEN_FILE', '/run/token', { consulTokenFile: '/run/token' }],
    ['PROCFS', '/hostproc', { procfs: '/hostproc' }],
    ['WEAVE_MTU', '1400', { mtu: 1400 }],
    ['WEAVE_CONTAINER_NAME', 'w', { containerName: 'w' }],
    [
      'HEDDLE_DNS_LISTEN',
      '127.0.0.1:5353, ::1',
      {
        dnsListen: [
          { ip: '127.0.0.1', port: 5353 },
          { ip: '::1', port: 53 },
        ],
      },
    ],
    ['HEDDLE_DNS', 'false', { dns: false }],
    ['HEDDLE_MTU', '', { mtu: 1450 }],
  ])('understand %s=%s', async (variable, value, expected) => {
    expect((await loadSettings({ flags: {}, env: { [variable]: value } })).settings).toMatchObject(expected);
  });

  it('let our own variable override an inherited one', async () => {
    const env = { CONSUL_HTTP_ADDR: '10.0.0.1:8500', HEDDLE_REGISTRY: 'embedded' };
    expect((await loadSettings({ flags: {}, env })).settings.registry).toEqual({ kind: 'embedded' });
  });

  it('take lists and switches from a file as YAML has them', async () => {
    const path = await file('dns-listen: ["127.0.0.1:53", "10.0.0.1"]\ndns: false\n');
    expect((await loadSettings({ ...none, file: path })).settings).toMatchObject({
      dns: false,
      dnsListen: [
        { ip: '127.0.0.1', port: 53 },
        { ip: '10.0.0.1', port: 53 },
      ],
    });
  });

  it('are the defaults with an empty file', async () => {
    expect((await loadSettings({ ...none, file: await file('') })).settings.mtu).toBe(1450);
  });

  it.each([
    ['HEDDLE_MTU', 'big', /HEDDLE_MTU: 'big' is not a whole number/],
    ['HEDDLE_BRIDGE', 'a b', /HEDDLE_BRIDGE: 'a b' is not a device name/],
    ['HEDDLE_ADDRESS', 'ethwe,nonsense', /HEDDLE_ADDRESS: .*nonsense.*expected ethwe, bridge/],
    ['HEDDLE_DNS_LISTEN', 'localhost', /HEDDLE_DNS_LISTEN: .*localhost/],
    ['HEDDLE_IP', '10.0.0', /HEDDLE_IP: '10\.0\.0' is not an IP address/],
    ['HEDDLE_IP', '0.0.0.0', /HEDDLE_IP: '0\.0\.0\.0' means every address/],
    ['HEDDLE_IP', '::ffff:0.0.0.0', /HEDDLE_IP: .* means every address/],
    ['HEDDLE_DOMAIN', 'a..b', /HEDDLE_DOMAIN: 'a\.\.b' is not a domain name/],
    ['HEDDLE_ON_STOP', 'burn', /HEDDLE_ON_STOP: 'burn' is not one of keep, deregister/],
  ])('refuse %s=%s', async (variable, value, sentence) => {
    await expect(loadSettings({ flags: {}, env: { [variable]: value } })).rejects.toThrow(sentence);
  });

  it.each([
    ['an unknown key', 'bridges: x', /unknown setting 'bridges'/],
    ['a misspelt key', 'dns_listn: x', /unknown setting 'dns_listn' \(did you mean 'dns-listen'\?\)/],
    ['what is no YAML', 'a: [', /cannot read the settings file/],
    ['a list', '- a', /'setting: value' lines/],
  ])('refuse a file with %s', async (_, text, sentence) => {
    await expect(loadSettings({ ...none, file: await file(text) })).rejects.toThrow(sentence);
  });

  it('that contradict each other are refused with their origin', async () => {
    const env = { HEDDLE_FORWARD: 'corp.example=10.0.0.2,web.heddle.test=10.0.0.2' };
    await expect(loadSettings({ flags: {}, env })).resolves.toBeDefined();
    await expect(loadSettings({ flags: { altDomain: 'Heddle.test' }, env })).rejects.toThrow(
      'HEDDLE_FORWARD: `web.heddle.test` cannot be forwarded',
    );
  });
});
