import { describe, expect, it } from 'vitest';
import {
  ignoredConsulVariables,
  understoodVariables,
  unknownVariables,
} from '../../src/config/unused-variables.ts';

describe('variables that look like settings of heddle', () => {
  it.each([
    ['HEDDLE_DNS_LISTN', ' (did you mean HEDDLE_DNS_LISTEN?)'],
    ['HEDDLE_REGISTRI', ' (did you mean HEDDLE_REGISTRY?)'],
    // A --no-… switch has the name of what it turns off.
    ['HEDDLE_NO_ATTACH', ' (did you mean HEDDLE_ATTACH?)'],
    ['HEDDLE_SOMETHING_ELSE', ''],
  ])('%s is listed, with the probable setting', (name, hint) => {
    expect(unknownVariables({ [name]: 'x', PATH: '/bin', HEDDLE_MTU: '1400' })).toBe(
      `these variables have no effect: ${name}${hint}; docs/settings.md lists all settings`,
    );
  });

  it('are listed in one sentence of bounded length, without their values', () => {
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`HEDDLE_X${index}`, 's3cret']),
    );
    const sentence = unknownVariables({ ...many, [`HEDDLE_${'A'.repeat(5000)}`]: 's3cret' });
    expect(sentence).toMatch(
      /^these variables have no effect: HEDDLE_A{57}…, HEDDLE_X0, .* and 2981 more; docs\/settings\.md lists all settings$/,
    );
    expect(sentence).not.toContain('s3cret');
    expect(sentence?.length).toBeLessThan(20 * 120);
  });

  it('are not listed if they are settings, empty or of other programs', () => {
    const env = {
      ...{ HEDDLE_CONFIG: 'x', HEDDLE_MTU: '1', HEDDLE_CONSUL_TOKEN: 't' },
      ...{ HEDDLE_UNKNOWN: '', WEAVE_MTU: '1', CONSUL_X: 'y' },
    };
    expect(unknownVariables(env)).toBeUndefined();
  });
});

describe("variables of Consul's client", () => {
  /** The variables of Consul's `api/api.go`, and two of registrator. */
  const CLIENTS = [
    ...['HTTP_ADDR', 'HTTP_TOKEN', 'HTTP_TOKEN_FILE', 'HTTP_AUTH', 'HTTP_SSL', 'HTTP_SSL_VERIFY'],
    ...['TLS_SERVER_NAME', 'CACERT', 'CAPATH', 'CLIENT_CERT', 'CLIENT_KEY', 'NAMESPACE', 'PARTITION'],
    ...['TLSCERT', 'TLSKEY', 'GRPC_ADDR', 'GRPC_CACERT', 'GRPC_CAPATH'],
  ].map((name) => `CONSUL_${name}`);

  it.each(CLIENTS)('%s is a setting, or the sentence gives the reason why not', (name) => {
    const sentence = ignoredConsulVariables({ [name]: 'x' });
    if (understoodVariables('CONSUL_').includes(name)) expect(sentence).toBeUndefined();
    else expect(sentence).toContain(`these variables have no effect: ${name} (`);
  });

  it('without effect are listed in one sentence, without their values', () => {
    const env = { CONSUL_GRPC_ADDR: 's3cret:8502', CONSUL_HTTP_TOKN: 's3cret', CONSUL_EMPTY: '', HOME: '/' };
    const sentence = ignoredConsulVariables(env);
    expect(sentence).toMatch(
      /^these variables have no effect: CONSUL_GRPC_ADDR \(heddle uses only the HTTP API of Consul\), CONSUL_HTTP_TOKN; heddle reads CONSUL_HTTP_ADDR, /,
    );
    expect(sentence).not.toMatch(/s3cret|CONSUL_EMPTY|\n/);
  });
});
