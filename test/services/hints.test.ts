import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { define } from '../../src/services/define.ts';
import { entryOf } from '../support/roster.ts';

const options = { hostId: 'h1', runs: () => true };
const defined = (container: Parameters<typeof entryOf>[0], more: object = {}) => {
  const { definitions, problems } = define(entryOf(container), { ...options, ...more });
  return { services: definitions.map(({ service }) => service), problems };
};
const problemsOf = (env: Record<string, string>, more: object = {}) =>
  defined({ ports: [80], env, ...more }).problems;

describe('an unknown key', () => {
  test.each([
    [
      'SERVICE_CHECK_HTPP',
      '/x',
      'SERVICE_CHECK_HTPP is not a setting and kept as Meta (did you mean SERVICE_CHECK_HTTP?)',
    ],
    ['SERVICE_80_CHECK_HTPP', '/x', '(did you mean SERVICE_80_CHECK_HTTP?)'],
    ['SERVICE_80_TCP_CHECK_HTPP', '/x', '(did you mean SERVICE_80_TCP_CHECK_HTTP?)'],
    ['SERVICE_TAG', 'a', '(did you mean SERVICE_TAGS?)'],
    ['SERVICE_CHECK_INTERVALL', '1s', '(did you mean SERVICE_CHECK_INTERVAL?)'],
    ['SERVICE_CEHCK_TCP', '1', '(did you mean SERVICE_CHECK_TCP?)'],
    ['SERVICE_IGNROE', '1', '(did you mean SERVICE_IGNORE?)'],
    ['SERVICE_ADRESS', '10.1.1.1', '(did you mean SERVICE_ADDRESS?)'],
    ['SERVICE_CHECK_KUBERNETES', '1', 'kept as Meta; there is no such check'],
    ['SERVICE_IP', '10.1.1.1', 'kept as Meta; ADDRESS announces another address'],
    ['SERVICE_ALIAS', 'www', 'kept as Meta; NAME takes several names, as in web,alias'],
    ['SERVICE_REGISTER', 'false', 'kept as Meta; IGNORE leaves out a container or a port'],
    ['SERVICE_TTL', '30', 'kept as Meta; CHECK_TTL adds a check that expires'],
    ['SERVICE_CHECK_URL', 'http://x/', 'kept as Meta; CHECK_HTTP takes a path, and CHECK_PORT a port'],
    ['SERVICE_META_VERSION', '1', "without META_ it is 'version'"],
  ])('%s=%s is reported', (key, value, expected) => {
    expect(problemsOf({ [key]: value })).toEqual([expect.stringContaining(expected)]);
  });

  test.each([
    'REGION',
    'VERSION',
    'TEAM',
    'STACK',
    'ZONE',
    'OWNER',
    'ENV',
    'NAMESPACE',
    'PRIORITY',
    'CLUSTER',
    'TRAEFIK_ENABLE',
  ])('SERVICE_%s is a pair of Meta like any other', (key) => {
    const { services, problems } = defined({ ports: [80], env: { [`SERVICE_${key}`]: 'x' } });
    expect(problems).toEqual([]);
    expect(services[0]?.meta[key.toLowerCase()]).toBe('x');
  });

  test('is reported once for a container of many ports, with the configured prefix', () => {
    const env = { SERVICE_CHECK_HTPP: '/x' };
    expect(defined({ ports: [80, 81, 82], env }).problems).toHaveLength(1);
    expect(defined({ env: { OUR_TAG: 'x' } }, { servicePrefix: 'OUR_' }).problems).toEqual([
      expect.stringContaining('did you mean OUR_TAGS?'),
    ]);
  });

  test('one letter away from a check is reported, for every letter', () => {
    const key = 'CHECK_HTTP';
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.constantFrom('', 'X', 'QQ'), (at, letters) => {
        const typo = `${key.slice(0, at)}${letters}${key.slice(at + 1)}`;
        fc.pre(typo !== key);
        expect(problemsOf({ [`SERVICE_${typo}`]: '/x' }).join()).toMatch(/did you mean|no such check/);
      }),
    );
  });
});

describe('a value that is probably a mistake', () => {
  test.each([
    ['SERVICE_NAME', '"web"', 'SERVICE_NAME has quotes that are part of its value; remove them'],
    ['SERVICE_TAGS', "'a,b'", 'SERVICE_TAGS has quotes that are part of its value'],
    ['SERVICE_REGION', '"eu"', 'SERVICE_REGION has quotes that are part of its value'],
    ['SERVICE_TAGS', '{{.Config.Hostname}}', 'SERVICE_TAGS contains {{…}}, which only --tags fills in'],
    [
      'SERVICE_CHECK_HTTP',
      'http://127.0.0.1:9990/health',
      'is a full URL; give the path alone, as in /health; CHECK_PORT sets another port',
    ],
    ['SERVICE_CHECK_HTTPS', 'HTTPS://x/', 'is a full URL'],
    [
      'SERVICE_CHECK_HTTP',
      'localhost:8080/x',
      'SERVICE_CHECK_HTTP is left out: "localhost:8080/x" has a host before its path; give the path alone, as in ' +
        '/health; CHECK_PORT sets another port',
    ],
    ...['web:80', ':8080/x', 'localhost/x', '10.1.1.1/x', '10.1.1.1:80?x', '[::1]/x', '[fd00::1]:80/x'].map(
      (value) => ['SERVICE_CHECK_HTTPS', value, 'has a host before its path'],
    ),
    [
      'SERVICE_CHECK_HTTP',
      'Example.com/health',
      'SERVICE_CHECK_HTTP takes a path; this value checks /Example.com/health',
    ],
    ['SERVICE_CHECK_HTTP', 'true', 'SERVICE_CHECK_HTTP takes a path; this value checks /true'],
    [
      'SERVICE_CHECK_TCP',
      'localhost:5432',
      'SERVICE_CHECK_TCP "localhost:5432" is ignored: this check targets the service\'s own port',
    ],
    ['SERVICE_CHECK_TCP', '5432', 'SERVICE_CHECK_TCP "5432" is ignored'],
    ['SERVICE_IGNORE', 'false', 'SERVICE_IGNORE takes effect with every non-empty value, even false'],
  ])('%s=%s is reported', (key, value, expected) => {
    expect(problemsOf({ [key]: value })).toContainEqual(expect.stringContaining(expected));
  });

  test.each([
    ['SERVICE_CHECK_SCRIPT', '"probe" "$SERVICE_IP"'],
    ['SERVICE_CHECK_DOCKER', "'/x {{y}}'"],
    ['SERVICE_CHECK_TCP', '1'],
    ['SERVICE_CHECK_TCP', 'true'],
    ...['/', 'health', 'a/b:80', '/a:80/b', 'index.php/health', 'v1.2/x', '?a=b:80', '8080', 'a:b/c'].map(
      (value) => ['SERVICE_CHECK_HTTP', value],
    ),
  ])('%s=%s gives no hint', (key, value) => {
    expect(defined({ ports: [80], env: { [key]: value } }, { allowScriptChecks: true }).problems).toEqual([]);
  });
});

describe('ranges of ports', () => {
  const names = (env: Record<string, string>, ports: readonly (number | string)[]) =>
    defined({ ports, env: { SERVICE_NAME: 'web', ...env } }).services.map(({ port, tags }) =>
      `${port} ${tags.join()}`.trim(),
    );

  test.each<[Record<string, string>, string[]]>([
    [{ 'SERVICE_10000-20000_IGNORE': 'true' }, ['80', '9999', '20001']],
    [{ 'SERVICE_80-65535_IGNORE': '1', SERVICE_80_IGNORE: '' }, ['80']],
    [
      { 'SERVICE_1-65535_TAGS': 'wide', 'SERVICE_9000-10000_TAGS': 'narrow', SERVICE_80_TAGS: 'own' },
      ['80 own', '9999 narrow', '10000 narrow', '20000 wide', '20001 wide'],
    ],
    [
      { 'SERVICE_9000-10000_TAGS': 'narrow', 'SERVICE_1-65535_TAGS': 'wide', SERVICE_TAGS: 'all' },
      ['80 wide', '9999 narrow', '10000 narrow', '20000 wide', '20001 wide'],
    ],
    [
      { 'SERVICE_80-80_IGNORE': '1', 'SERVICE_9999-20001_UDP_IGNORE': '1' },
      ['9999', '10000', '20000', '20001'],
    ],
    [{ 'SERVICE_9999-20001_TCP_IGNORE': '1' }, ['80']],
  ])('%j applies to the ports in it', (env, expected) => {
    expect(names(env, [80, 9999, 10000, 20000, 20001])).toEqual(expected);
  });

  test('that are reversed apply to no port, and a name for a range keeps its suffix', () => {
    expect(names({ 'SERVICE_20000-10000_IGNORE': '1' }, [15000])).toEqual(['15000']);
    expect(defined({ env: { 'SERVICE_20000-10000_IGNORE': '1' }, ports: [15000] }).problems).toEqual([
      'SERVICE_20000-10000_IGNORE has no effect: a range begins with the lower port; expected 10000-20000',
    ]);
    const { services } = defined({ ports: [80, 81], env: { 'SERVICE_80-81_NAME': 'web' } });
    expect(services.map(({ name }) => name)).toEqual(['web-80', 'web-81']);
  });
});

describe('settings of ports', () => {
  const only = 'the container has no port 8080, only 80/tcp, 53/udp';
  test.each<[string, Parameters<typeof entryOf>[0], string[]]>([
    ['SERVICE_8080_NAME', { ports: [80, '53/udp'] }, [`${only}; expose it, or name it in SERVICE_PORT`]],
    [
      'SERVICE_8080_UDP_NAME',
      { ports: [8080] },
      ['the container has no port 8080/udp, only 8080/tcp; expose it'],
    ],
    ['SERVICE_8080_NAME', {}, ['the container has no port 8080; expose it, or name it in SERVICE_PORT']],
    ['SERVICE_99999_NAME', { ports: [80] }, ['the container has no port 99999, only 80/tcp']],
    [
      'SERVICE_8080_NAME',
      { ports: ['80>8080'], hostPorts: true },
      ["8080 is the host's port; expected the container's own, 80"],
    ],
    ['SERVICE_8010-8000_NAME', { ports: [8005] }, ['a range begins with the lower port; expected 8000-8010']],
    ['SERVICE_8000-8010_NAME', { ports: [80] }, ['the container has no port 8000 to 8010, only 80/tcp']],
    ['SERVICE_8000-8010_UDP_NAME', { ports: [8005] }, ['the container has no port 8000 to 8010/udp']],
    ['MARATHON_APP_LABEL_SERVICE_8080_NAME', { ports: [80] }, ['the container has no port 8080']],
    ['SERVICE_8080_NAME', { ports: [8080] }, []],
    ['SERVICE_8080_TCP_NAME', { ports: [8080] }, []],
    ['SERVICE_8000-8080_NAME', { ports: [8080] }, []],
    ['SERVICE_8080_IGNORE', { ports: [80] }, []],
    // If services carry host ports, an unpublished port is left out with its settings.
    ['SERVICE_8080_NAME', { ports: ['80>80', 8080], hostPorts: true }, []],
  ])('%s for %j', (key, container, expected) => {
    const { problems } = defined({ ...container, env: { [key]: 'web' } });
    const sentences = expected.map((why) => expect.stringContaining(`${key} has no effect: ${why}`));
    expect(problems).toEqual(sentences);
  });

  test('that SERVICE_PORT or Marathon names exist', () => {
    expect(problemsOf({ SERVICE_PORT: '8080', SERVICE_8080_NAME: 'web' })).toEqual([]);
    const task = { MARATHON_APP_ID: '/web', PORT0: '31000', SERVICE_31000_NAME: 'web' };
    expect(defined({ env: task, networkMode: 'host' }).problems).toEqual([]);
  });

  test('that do not exist are reported once for each port, in a bounded number of sentences', () => {
    expect(problemsOf({ SERVICE_81_NAME: 'web', SERVICE_81_TAGS: 'a', SERVICE_81_ID: 'b' })).toEqual([
      expect.stringContaining(
        'SERVICE_81_NAME and 2 more like it have no effect: the container has no port 81',
      ),
    ]);
    const many = Object.fromEntries(
      Array.from({ length: 4_000 }, (_, n) => [`SERVICE_${1_000 + n}_NAME`, 'web']),
    );
    const problems = problemsOf(many);
    expect(problems).toHaveLength(17);
    expect(problems.at(-1)).toBe('settings of 3984 further ports have no effect');
  });
});

describe('tags that begin with a plus', () => {
  test.each<[Record<string, string>, string]>([
    [{ SERVICE_TAGS: 'a,b', SERVICE_80_TAGS: 'c' }, 'c'],
    [{ SERVICE_TAGS: 'a,b', SERVICE_80_TAGS: '+c' }, 'a,b,c'],
    [
      { SERVICE_TAGS: 'a', 'SERVICE_1-100_TAGS': '+b', SERVICE_80_TAGS: ' +c, d', SERVICE_80_TCP_TAGS: '+e' },
      'a,b,c,d,e',
    ],
    [{ SERVICE_TAGS: '+a' }, 'a'],
    [{ MARATHON_APP_LABEL_SERVICE_TAGS: 'a', SERVICE_TAGS: '+b' }, 'a,b'],
    [{ SERVICE_TAGS: 'a', SERVICE_80_TAGS: 'b,+c' }, 'b,+c'],
  ])('%j are added to the wider ones: %s', (env, expected) => {
    expect(defined({ ports: [80], env }).services[0]?.tags.join()).toBe(expected);
  });
});

describe('SERVICE_PORT', () => {
  test('of an unpublished port keeps the published ones, and is reported', () => {
    const { services, problems } = defined({
      ...{ ports: ['80>8080'], hostPorts: true },
      env: { SERVICE_PORT: '3000' },
    });
    expect(services.map(({ port }) => port)).toEqual([8080]);
    expect(problems).toEqual(['SERVICE_PORT is ignored: none of its ports is published']);
  });

  const found = (container: Parameters<typeof entryOf>[0]) =>
    defined(container).services.map(({ name, address, port, tags }) =>
      [`${name} ${address}:${port}`, ...tags].join(' '),
    );

  test.each<[string, Parameters<typeof entryOf>[0], string[]]>([
    ['a container that exposes none', { env: { SERVICE_PORT: '8080' } }, ['thing 10.2.1.1:8080']],
    [
      'several of them',
      { env: { SERVICE_PORT: '8080, 53/udp' } },
      ['thing-8080 10.2.1.1:8080', 'thing-53 10.2.1.1:53 udp'],
    ],
    [
      'one of several that it exposes',
      { env: { SERVICE_PORT: '443' }, ports: [80, 443] },
      ['thing 10.2.1.1:443'],
    ],
    ['another than it exposes', { env: { SERVICE_PORT: '8080' }, ports: [80] }, ['thing 10.2.1.1:8080']],
    [
      'another number for one port',
      { env: { SERVICE_80_PORT: '8080' }, ports: [80, 443] },
      ['thing-80 10.2.1.1:8080', 'thing-443 10.2.1.1:443'],
    ],
    [
      'a published one, at its host port',
      { env: { SERVICE_PORT: '80' }, ports: ['80>8080', '90>9090'], hostPorts: true },
      ['thing 10.2.1.1:8080'],
    ],
  ])('names %s', (_, container, expected) => {
    expect(found(container)).toEqual(expected);
  });

  test.each(['0', '65536', '80x', '-1', 'http'])('of %s is refused', (given) => {
    const { services, problems } = defined({ ports: [80], env: { SERVICE_PORT: given } });
    expect(services.map(({ port }) => port)).toEqual([80]);
    expect(problems).toEqual([`SERVICE_PORT "${given}" is refused: expected a port from 1 to 65535`]);
  });
});

describe('SERVICE_NETWORK', () => {
  const networks = [
    { name: 'bridge', ipv4: '172.17.0.2', ipv6: '' },
    { name: 'shop_front', ipv4: '172.18.0.2', ipv6: 'fd00::2' },
    { name: 'ingress', ipv4: '10.255.0.3', ipv6: '' },
  ];
  const at = (env: Record<string, string>, more: object = {}) => {
    const { services, problems } = defined({ ports: ['80>8080'], networks, env, ...more });
    return { at: services.map(({ address, port }) => `${address}:${port}`), problems };
  };

  test.each([
    ['bridge', '172.17.0.2:80'],
    ['shop_front', '172.18.0.2:80'],
    ['front', '172.18.0.2:80'],
  ])('announces the address on network %s', (name, expected) => {
    for (const more of [{}, { ip: null }, { hostPorts: true }]) {
      expect(at({ SERVICE_NETWORK: name }, more)).toEqual({ at: [expected], problems: [] });
    }
    expect(at({ SERVICE_80_NETWORK: name }).at).toEqual([expected]);
  });

  test('that the container is not on is reported, and the chosen address stays', () => {
    const task = { SERVICE_NETWORK: 'ingress', 'com.docker.swarm.task.id': 't' };
    for (const env of [{ SERVICE_NETWORK: 'none' }, task]) {
      const found = at(env);
      expect(found.at).toEqual(['10.2.1.1:80']);
      expect(found.problems).toEqual([expect.stringContaining('the container has no address on network')]);
    }
  });

  test('has both families and a check of its own address', () => {
    const env = { SERVICE_NETWORK: 'front', SERVICE_CHECK_TCP: '1' };
    const { services } = defined({ ports: [80], networks, env });
    expect(services).toMatchObject([
      { addresses: { ipv4: '172.18.0.2', ipv6: 'fd00::2' }, checks: [{ target: '172.18.0.2:80' }] },
    ]);
  });
});

describe('names of orchestrators', () => {
  const app = { MARATHON_APP_ID: '/shop' };
  const names = (env: Record<string, string>, ports: readonly (string | number)[], more: object = {}) =>
    defined({ env: { ...app, ...env }, ports, ...more }).services.map(({ name, port }) => `${name}:${port}`);

  test.each<[Record<string, string>, (string | number)[], string]>([
    [{ PORT0: '31000' }, [22, '8080>31001', '9000>31000'], 'shop:9000'],
    [{ PORT0: '31000', PORT_9000: '31000', PORT_8080: '31001' }, [22, 8080, 9000], 'shop:9000'],
    [{ PORT0: '9000' }, [22, 8080, 9000], 'shop:9000'],
    [{ PORT0: 'x' }, [22, 8080, 9000], 'shop:22'],
    [{}, [22, 8080, 9000], 'shop:22'],
  ])('Marathon with %j and ports %j keeps its plain name for %s', (env, ports, expected) => {
    expect(names(env, ports).filter((name) => name.startsWith('shop:'))).toEqual([expected]);
  });

  test.each([
    [{ 'com.docker.swarm.service.name': 'web' }, 'web'],
    [{ 'com.docker.swarm.service.name': 'shop_web', 'com.docker.stack.namespace': 'shop' }, 'web'],
    [{ 'com.docker.swarm.service.name': 'web', 'com.docker.compose.service': 'db' }, 'db'],
  ])('%j is %s with --compose-names', (env, expected) => {
    expect(defined({ env }, { composeNames: true }).services[0]?.name).toBe(expected);
    expect(defined({ env }).services[0]?.name).toBe('thing');
  });
});
