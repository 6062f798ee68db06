import { describe, expect, test } from 'vitest';
import { dnsArgs, dnsPreferences, preferenceArguments } from '../../src/dns/args.ts';
import { optionNames, splitDockerRun } from '../../src/docker/run-arguments.ts';

const argumentsOf = (line: string) => (line === '' ? [] : line.split(' '));
const ALONE = '--dns 172.17.42.1';
const WITH_SEARCH = '--dns 172.17.42.1 --dns-search=.';

describe('dns-args', () => {
  test.each([
    ['', WITH_SEARCH],
    ['-d --name web httpd', WITH_SEARCH],
    ['--dns-search=example.com httpd', ALONE],
    ['--dns-search example.com httpd', ALONE],
    ['--dns-search=. httpd', ALONE],
    ['-ti --dns-search example.com busybox sh', ALONE],
    ['--rm --dns-search=a.example --dns-search=b.example httpd', ALONE],
    // Both resolvers are on the command line; ours is asked first.
    ['--dns=8.8.8.8 httpd', WITH_SEARCH],
    ['-h web.weave.local httpd', WITH_SEARCH],
    ['--hostname=web --name c1 httpd', WITH_SEARCH],
    // Arguments of the container's own command do not count.
    ['httpd --dns-search=example.com', WITH_SEARCH],
    ['-d httpd -h x --dns-search y', WITH_SEARCH],
    ['-- httpd --dns-search=example.com', WITH_SEARCH],
    ['--rm=true httpd --dns-search=example.com', WITH_SEARCH],
    ['-it busybox --dns-search=example.com', WITH_SEARCH],
    ['-e A=1 busybox --dns-search=example.com', WITH_SEARCH],
    ['-eA=1 busybox --dns-search=example.com', WITH_SEARCH],
    ['-itd busybox --dns-search=example.com', WITH_SEARCH],
    // Text in the form of an option may be an option's value.
    ['--name --dns-search=x httpd', WITH_SEARCH],
    ['-e --dns-search=x httpd', WITH_SEARCH],
    ['-tie --dns-search=x httpd', WITH_SEARCH],
    ['--invented-later --dns-search=x httpd', WITH_SEARCH],
    ['--invented-later=1 --dns-search=x httpd', ALONE],
    ['--name web --dns-search', ALONE],
  ])('%s', (line, expected) => {
    const resolver = { address: '172.17.42.1', search: ['.'] };
    expect(dnsArgs(resolver, argumentsOf(line)).join(' ')).toBe(expected);
    // The arguments sent elsewhere mean the same, and hold no text of the caller's.
    const sent = preferenceArguments(dnsPreferences(argumentsOf(line)));
    expect(dnsArgs(resolver, sent).join(' ')).toBe(expected);
    expect(['', '--dns-search=']).toContain(sent.join(' '));
  });

  test.each([
    ['--network none busybox', true],
    ['--net none busybox', true],
    ['--net=none busybox', true],
    ['--network=name=none,alias=web busybox', true],
    ['-d --network none --name web busybox', true],
    ['--network front busybox', false],
    ['--network none --network front busybox', false],
    ['busybox --network none', false],
    ['-e --network none', false],
    ['--network', false],
  ])('%s reaches only what it is attached to: %s', (line, onlyAttached) => {
    expect(dnsPreferences(argumentsOf(line))).toMatchObject({ onlyAttached, resolver: true });
    expect(dnsPreferences(preferenceArguments(dnsPreferences(argumentsOf(line))))).toEqual(
      dnsPreferences(argumentsOf(line)),
    );
  });

  test("prints nothing for a container in another's network, where docker rejects --dns", () => {
    for (const line of ['--network container:web busybox', '--net=container:web busybox']) {
      expect(dnsArgs({ address: '172.17.42.1', search: ['.'] }, argumentsOf(line))).toEqual([]);
    }
  });

  test.each([
    [['weave.local'], '', '--dns fd00::1 --dns-search=weave.local'],
    [['a.example', 'b.example'], '-d httpd', '--dns fd00::1 --dns-search=a.example --dns-search=b.example'],
    [['weave.local'], '--dns-search=. httpd', '--dns fd00::1'],
    [[], '', '--dns fd00::1'],
  ])('with the search domains %j: %s', (search, line, expected) => {
    expect(dnsArgs({ address: 'fd00::1', search }, argumentsOf(line)).join(' ')).toBe(expected);
  });

  test('prints nothing with --without-dns, and if no DNS is served', () => {
    const resolver = { address: '172.17.42.1', search: ['.'] };
    for (const line of ['--without-dns -d httpd', '--dns-search=a --without-dns httpd']) {
      expect(dnsArgs(resolver, argumentsOf(line))).toEqual([]);
      expect(dnsArgs(resolver, preferenceArguments(dnsPreferences(argumentsOf(line))))).toEqual([]);
    }
    expect(dnsArgs(resolver, argumentsOf('httpd --without-dns'))).not.toEqual([]);
    expect(dnsArgs(undefined, argumentsOf('-d httpd'))).toEqual([]);
  });
});

describe('the arguments of docker run are split at the image', () => {
  test.each([
    ['httpd', '', 'httpd', ''],
    ['-d httpd', '-d', 'httpd', ''],
    ['-ti busybox sh -c ls', '-ti', 'busybox', 'sh -c ls'],
    ['-itd --name web -p 80:80 httpd -D FOREGROUND', '-itd --name web -p 80:80', 'httpd', '-D FOREGROUND'],
    ['-p80:80 -eA=1 -v/a:/b httpd', '-p80:80 -eA=1 -v/a:/b', 'httpd', ''],
    ['-tie A=1 busybox env', '-tie A=1', 'busybox', 'env'],
    ['-d=false -t=true busybox', '-d=false -t=true', 'busybox', ''],
    ['--rm --init --privileged --read-only busybox', '--rm --init --privileged --read-only', 'busybox', ''],
    ['--detach --interactive --tty busybox', '--detach --interactive --tty', 'busybox', ''],
    ['--sig-proxy=false --pull always busybox', '--sig-proxy=false --pull always', 'busybox', ''],
    ['--gpus all --net=host busybox', '--gpus all --net=host', 'busybox', ''],
    ['--rm true', '--rm', 'true', ''],
    ['-h web busybox', '-h web', 'busybox', ''],
    ['--env= busybox', '--env=', 'busybox', ''],
    ['-d -- busybox -d', '-d --', 'busybox', '-d'],
    ['- x', '', '-', 'x'],
  ])('%s', (line, options, image, command) => {
    expect(splitDockerRun(argumentsOf(line))).toEqual({
      options: argumentsOf(options),
      image,
      command: argumentsOf(command),
    });
  });

  test.each(['', '-d', '--name', '--name web', '-d --'])('no image in `%s`', (line) => {
    expect(splitDockerRun(argumentsOf(line))).toEqual({
      options: argumentsOf(line),
      image: undefined,
      command: [],
    });
  });

  test('an argument with several lines, or an empty one, is one argument', () => {
    expect(splitDockerRun(['-e', 'A=1\n2', '-l', '', 'busybox', ''])).toEqual({
      options: ['-e', 'A=1\n2', '-l', ''],
      image: 'busybox',
      command: [''],
    });
  });
});

describe('the names of the options', () => {
  test.each([
    ['-itd --name web', '-i -t -d --name'],
    ['--name=-d -e -d', '--name -e'],
    ['-eA=1 -tp80', '-e -t -p'],
    ['--detach=false --rm=0 --tty=true --init', '--tty --init'],
    ['-d=false -it=true', '-i -t'],
    ['-d -- -t', '-d'],
  ])('%s', (line, names) => {
    expect([...optionNames(argumentsOf(line))]).toEqual(argumentsOf(names));
  });
});
