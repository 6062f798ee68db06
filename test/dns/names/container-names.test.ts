import { describe, expect, test } from 'vitest';
import {
  containerAddresses,
  containerNames,
  nameBelow,
  nameProblems,
} from '../../../src/dns/names/container-names.ts';
import { entryFor, snapshot } from '../../support/snapshot.ts';

describe('a container is called', () => {
  test.each([
    ['by its name and its host name', { hostname: 'front' }, 'front.weave.local web.weave.local'],
    [
      'by its id only at last',
      { id: 'c0ffee123456'.padEnd(64, '0'), hostname: 'c0ffee123456' },
      'web.weave.local c0ffee123456.weave.local',
    ],
    ['once, where they are the same', { hostname: 'web' }, 'web.weave.local'],
    ['by a host name in the domain', { hostname: 'see.weave.local' }, '*see.weave.local web.weave.local'],
    [
      'by host and domain name',
      { hostname: 'see', domainname: 'weave.local.' },
      '*see.weave.local web.weave.local',
    ],
    ['below the domain', { hostname: 'a.b.weave.local' }, '*a.b.weave.local web.weave.local'],
    [
      'not by a host name of another domain',
      { hostname: 'web', domainname: 'example.com' },
      'web.weave.local',
    ],
    ['not by the domain itself', { hostname: 'weave.local' }, 'web.weave.local'],
    ['in lower case', { name: 'Web', hostname: 'WEB.Weave.Local' }, '*web.weave.local'],
    [
      'by its aliases',
      { hostname: 'web', aliases: ['db', 'main.db', 'DB'] },
      'web.weave.local db.weave.local main.db.weave.local',
    ],
    ['with dots in its name', { name: 'team.web', hostname: 'web' }, 'web.weave.local team.web.weave.local'],
    [
      'not by what is no name',
      { name: '-x', hostname: 'ü', aliases: ['', 'a..b', '\\.', 'x'.repeat(64)] },
      '',
    ],
  ])('%s', (_how, details, expected) => {
    const names = containerNames(snapshot('web', details), 'weave.local');
    expect(names.map(({ name, explicit }) => (explicit ? `*${name}` : name)).join(' ')).toBe(expected);
  });

  test('by its compose service, unless it is a one-off container', () => {
    const labels = { 'com.docker.compose.service': 'db' };
    const name = (metadata: object) =>
      containerNames(snapshot('p-db-1', { metadata: new Map(Object.entries(metadata)) }), 'weave.local').map(
        (one) => one.name,
      );
    expect(name(labels)).toEqual(['p-db-1.weave.local', 'db.weave.local']);
    expect(name({ ...labels, 'com.docker.compose.oneoff': 'True' })).toEqual(['p-db-1.weave.local']);
  });
});

test.each([
  ['web', 'web.weave.local'],
  ['Web.', 'web.weave.local'],
  ['web.weave.local', 'web.weave.local'],
  ['WEB.weave.local.', 'web.weave.local'],
  ['a.b', 'a.b.weave.local'],
  ['_x', '_x.weave.local'],
  ['', undefined],
  ['a b', undefined],
  ['a-', undefined],
  ['a..b', undefined],
  ['x'.repeat(64), undefined],
  [`${'x.'.repeat(125)}x`, undefined],
])('%s below the domain is %s', (text, name) => {
  expect(nameBelow(text, 'weave.local')).toBe(name);
});

describe('an invalid name is reported', () => {
  const long = 'x'.repeat(64);

  test.each([
    [
      { name: long },
      [
        `the container name ${long} is not a valid DNS name: a label has at most 63 characters, this one has 64`,
      ],
    ],
    [{ name: `a.${long}.b` }, [/a label has at most 63 characters, this one has 64$/]],
    [{ name: 'web-' }, [/the container name web- .* letters, digits, _ and -/]],
    [{ name: 'a..b' }, [/single dots between them$/]],
    [
      { name: `${'x.'.repeat(122)}x` },
      [/with .weave.local appended, it exceeds the maximum length of a name$/],
    ],
    [{ hostname: long }, [/the host name x+ is not a valid DNS name/]],
    [{ aliases: ['a b', long] }, [/the network alias a b /, /the network alias x+/]],
    [{ metadata: new Map([['com.docker.compose.service', long]]) }, [/the compose service x+/]],
    [{ aliases: Array.from({ length: 100 }, (_, at) => `${at}-`) }, [/0-/, /1-/, /2-/, /3-/]],
    [{ name: 'x'.repeat(4000) }, [/x{80}… is not a valid DNS name/]],
    [{}, []],
    [{ hostname: 'web.example.com' }, []],
    [{ name: 'x'.repeat(63) }, []],
  ])('of %j', (details, expected) => {
    const problems = nameProblems(snapshot('web', { name: 'web', ...details }), 'weave.local');
    expect(problems).toHaveLength(expected.length);
    for (const [at, one] of expected.entries()) expect(problems[at]).toMatch(one);
  });
});

describe('a container is found at', () => {
  const at = (ip: string, device = 'ethwe') =>
    ({ ip, prefixLength: 16, family: ip.includes(':') ? 6 : 4, interface: device }) as const;
  const chosen = (ip: string, hostPorts = false) =>
    ({ chosen: true, ip, term: 'ethwe', reason: '', hostPorts }) as const;
  const all = [at('10.2.1.1'), at('10.3.1.1'), at('fd00::1'), at('fe80::1'), at('172.17.0.2', 'eth0')];

  test.each([
    [
      'all addresses of the interface it is announced at',
      { choice: chosen('10.2.1.1') },
      '10.2.1.1 10.3.1.1 fd00::1',
    ],
    ['the address of another interface', { choice: chosen('172.17.0.2') }, '172.17.0.2'],
    ['an address that Docker alone knows', { choice: chosen('172.18.0.9') }, '172.18.0.9'],
    [
      'both addresses that Docker alone knows',
      { choice: { ...chosen('172.18.0.9'), ipv6: 'fd00:18::9' } },
      '172.18.0.9 fd00:18::9',
    ],
    ['none, where the host stands for it', { choice: chosen('192.0.2.1', true) }, ''],
    ['none, while it waits for its own', { choice: chosen('10.2.1.1'), awaitingAddress: true }, ''],
    ['none, where none could be chosen', {}, ''],
    [
      'none, when it does not run',
      { choice: chosen('10.2.1.1'), snapshot: snapshot('web', { running: false }) },
      '',
    ],
  ])('%s', (_where, more, expected) => {
    const entry = { ...entryFor(snapshot('web'), { addresses: all }), ...more };
    expect(containerAddresses(entry).join(' ')).toBe(expected);
  });
});
