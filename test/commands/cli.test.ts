import { describe, expect, it } from 'vitest';
import { normalise, run } from '../../src/commands/cli.ts';
import { settingsOfWord } from '../../src/commands/settings.ts';
import { collect } from '../../src/io.ts';

async function heddle(line: string, env: Record<string, string> = {}) {
  const [stdout, stderr] = [collect(), collect()];
  const status = await run(line.split(' ').filter(Boolean), { stdout, stderr }, env);
  return { status, stdout: stdout.text, stderr: stderr.text };
}

describe('what the first argument means', () => {
  it.each([
    ['', '--help'],
    ['version', 'version'],
    ['--version', '--version'],
    ['daemon --mtu 1400', 'daemon --mtu 1400'],
    ['consul://host:8500', 'daemon consul://host:8500'],
    ['--registry consul://host', 'daemon --registry consul://host'],
    ['--mtu=1400', 'daemon --mtu=1400'],
    ['-internal consul://host:8500', 'daemon --address=ethwe,bridge,internal consul://host:8500'],
    ['-internal=false -ip=10.0.0.1 consul://host', 'daemon --ip=10.0.0.1 consul://host'],
    [
      '-ip 10.0.0.1 -internal consul://host',
      'daemon --ip=10.0.0.1 --address=ethwe,bridge,internal consul://host',
    ],
    ['--local attach 10.2.1.1/16 web', '--local attach 10.2.1.1/16 web'],
    ['--socket /s --local ps', '--socket /s --local ps'],
    ['run 10.2.1.1/16 -ti web -internal', 'run 10.2.1.1/16 -ti web -internal'],
    ['run 10.2.1.1/16 web --ip', 'run 10.2.1.1/16 web --ip'],
    ['daemon --internal consul://host', 'daemon --address=ethwe,bridge,internal consul://host'],
    ['-explicit=true -tags a,b consul://host', 'daemon --explicit --tags=a,b consul://host'],
    ['-deregister=on-success -tags= consul://host', 'daemon --deregister=on-success consul://host'],
    ['-useIpFromLabel my.ip -explicit=0 consul://h', 'daemon --use-ip-from-label=my.ip consul://h'],
    ['-cleanup -resync 5 -ttl=30 -ttl-refresh 15 consul://h', 'daemon consul://h'],
    ['-retry-attempts -1 -retry-interval 2000', 'daemon'],
    ['--bogus', 'daemon --bogus'],
  ])('%s', (given, meant) => {
    expect(normalise(given.split(' ').filter(Boolean)).argv.join(' ')).toBe(meant);
  });
});

describe('what a helper is told of the flags before a word', () => {
  it.each([
    ['attach --mtu 1300 web', ''],
    ['--mtu 1300 --bridge=loom --no-dns attach web', '--mtu 1300 --bridge=loom --no-dns'],
    ['--socket /s --local --trace --state-dir=/x --image i --config f --mtu 1300 ps', '--mtu 1300'],
    ['--mtu', '--mtu'],
  ])('%s: %s', (line, told) => {
    expect(settingsOfWord(line.split(' ')).join(' ')).toBe(told);
  });
});

describe("registrator's flags", () => {
  it('that heddle makes pointless are said once each, with the reason', () => {
    const { pointless } = normalise(['-cleanup', '-resync', '5', '-internal', 'consul://host']);
    expect(pointless).toEqual([
      expect.stringMatching(/^-cleanup has no effect: /),
      expect.stringMatching(/^-resync has no effect: /),
    ]);
  });

  it.each([
    ['-ttl soon consul://host', /-ttl: 'soon' is not a whole number/],
    ['-resync', /-resync: expected a value/],
    ['-deregister never consul://host', /--deregister: 'never' is not one of always, on-success/],
    ['-tags {{.Nope}} consul://host', /--tags: the template .*no field \.Nope/],
    ['-internal etcd://host:4001/services', /heddle has no etcd backend/],
    ['-internal skydns2://host/x', /heddle has no skydns2 backend/],
    ['zookeeper://host/x', /heddle has no zookeeper backend/],
    ['consulkv://host/x', /heddle has no consulkv backend/],
  ])('%s is refused', async (line, message) => {
    expect(await heddle(line)).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});

describe('the command line', () => {
  it.each(['launch-dns 10.2.254.1/24', 'stop-dns', 'prime'])(
    'lets scripts go on behind what is not needed: %s',
    async (line) => {
      expect(await heddle(line)).toEqual({
        status: 0,
        stdout: '',
        stderr: expect.stringMatching(/^heddle: \S+ is not needed: .*\n$/),
      });
    },
  );

  it('prints its version and Node as JSON', async () => {
    const { stdout } = await heddle('version --format json');
    expect(JSON.parse(stdout)).toEqual({
      version: expect.stringMatching(/^\d/),
      node: process.versions.node,
    });
  });

  it('prints its version', async () => {
    expect(await heddle('version')).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^heddle \d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    expect((await heddle('--version')).stdout).toBe((await heddle('version')).stdout);
  });

  it.each([
    '',
    '--help',
    'help',
    'attach --help',
    'run --help',
    'daemon --help',
    'ps --help',
    'services --help',
    'explain --help',
    'dns-args --help',
  ])('helps with: %s', async (line) => {
    expect(await heddle(line)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Usage: heddle/),
      stderr: '',
    });
  });

  it.each([
    [
      'an unknown word, with a suggestion',
      'atach 10.2.1.1/16 web',
      2,
      /unknown command 'atach'[\s\S]*attach/,
    ],
    ['an unknown flag', 'ps --bogus', 2, /unknown option '--bogus'/],
    ['attach without a container', 'attach 10.2.1.1/16', 2, /a container after the addresses/],
    [
      'attach with addresses alone',
      'attach 10.2.1.1/16 10.2.1.2/16',
      2,
      /expected a container after the addresses/,
    ],
    ['an address out of range', 'attach 10.2.0.300/16 web', 2, /10\.2\.0\.300\/16/],
    ['an address without prefix', 'detach 10.2.1.1 web', 2, /prefix length/],
    ['a prefix out of range', 'attach 10.2.1.1/33 web', 2, /0 to 32/],
    ['run without an image', 'run 10.2.1.1/16', 2, /needs an image/],
    ['a part of status that is none', 'status nosuch', 2, /no part 'nosuch'; there are dns, services/],
    ['a part of status of many hosts', 'status peers', 1, /status peers: joining several hosts/],
    ['connect', 'connect --replace a b', 1, /connect: joining several hosts/],
    ['a peer', 'launch 10.0.0.2', 1, /launch 10\.0\.0\.2: joining several hosts/],
    ['peers behind flags', 'launch --mtu 1400 host1 host2', 1, /launch host1: joining several hosts/],
    ['a nickname', 'launch -nickname n', 1, /launch --nickname: joining several hosts/],
    ['trusted subnets', 'launch --trusted-subnets=10.0.0.0/8', 1, /--trusted-subnets: joining/],
    [
      'a password',
      'launch -password hush-hush',
      1,
      /^heddle: launch -password asks for an encrypted(?!.*hush)/,
    ],
    [
      'a password with two dashes',
      'launch --password=hush-hush host1',
      1,
      /^heddle: launch -password(?!.*hush)/,
    ],
    ['a flag that launch has not', 'launch --nosuch', 2, /^heddle: unknown option '--nosuch'/],
    ['a format of launch that is none', 'launch --format yaml', 2, /unknown option '--format'/],
    ['two registries', 'launch consul://a consul://b', 2, /expected one registry/],
    [
      'a part of the script that is one now',
      'launch-router',
      1,
      /launch-router: heddle launch starts all of it/,
    ],
    ['the proxy', 'env', 1, /env: heddle stands in front of no Docker API/],
    [
      'a host of a file that is not rewritten',
      'attach --add-host=a:10.0.0.1 --no-rewrite-hosts 10.2.1.1/16 web',
      2,
      /--add-host is for the file that --rewrite-hosts makes/,
    ],
    [
      'a host without an address',
      'attach --rewrite-hosts --add-host a:b 10.2.1.1/16 web',
      2,
      /--add-host "a:b" does not end with an IP address: expected .*db:10\.2\.9\.9/,
    ],
    ['no name', 'attach --without-dns 10.2.1.1/16 web', 1, /what Docker calls it/],
    ['a format that is none', 'ps --format yaml', 2, /Allowed choices are text, json/],
    ['a setting that is none', '--mtu 10 ps', 2, /--mtu: '10' is less than 576/],
    ['a registry that is none', 'daemon nosuch://x', 2, /--registry: .*no registry is called "nosuch"/],
    ['a settings file that is not there', '--config /nowhere.yml ps', 2, /settings file \/nowhere\.yml/],
    ['a daemon socket and engine that are not there', '--socket /nowhere.sock ps', 4, /DOCKER_HOST/],
  ])('says what is wrong in one sentence: %s', async (_, line, status, sentence) => {
    const outcome = await heddle(line, { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    expect(outcome).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(sentence) });
  });
});
