import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';

const shown = async (flags: object, env: Record<string, string> = {}) => {
  const { settings } = await loadSettings({ flags, env, file: undefined });
  return (setting: string) => settings.effective.find((one) => one.setting === setting);
};

describe('the settings for display', () => {
  it('have their value as given, and its origin', async () => {
    const of = await shown(
      { mtu: '1400', dnsListen: ['127.0.0.1:53', '10.0.0.1'] },
      { DOCKER_BRIDGE: 'br0' },
    );
    expect(of('mtu')).toEqual({ setting: 'mtu', value: '1400', origin: '--mtu' });
    expect(of('dns-listen')?.value).toBe('127.0.0.1:53,10.0.0.1');
    expect(of('docker-bridge')).toMatchObject({ value: 'br0', origin: 'DOCKER_BRIDGE' });
    expect(of('ipalloc-range')).toMatchObject({ value: '10.32.0.0/12', origin: 'default' });
    expect(of('ip')).toMatchObject({ value: '', origin: 'default' });
  });

  it('hide secrets, and show that there is none', async () => {
    const of = await shown({}, { CONSUL_HTTP_TOKEN: 'hush' });
    expect(of('consul-token')).toMatchObject({ value: '(hidden)', origin: 'CONSUL_HTTP_TOKEN' });
    expect((await shown({}))('consul-token')).toMatchObject({ value: '' });
  });
});
