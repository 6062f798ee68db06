import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/cli.ts';
import { normalise } from '../../src/cli/normalise.ts';
import { settingsForHost } from '../../src/commands/syntax/setting-flags.ts';
import { collect } from '../../src/runtime/io.ts';

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
    ['-version', '--version'],
    ['-v', '--version'],
    ['-help', '--help'],
    ['expose -help', 'expose --help'],
    // Docker's own: the container's host name.
    ['run 10.2.1.1/16 -help', 'run 10.2.1.1/16 -help'],
  ])('%s', (given, meant) => {
    expect(normalise(given.split(' ').filter(Boolean)).argv.join(' ')).toBe(meant);
  });
});

describe('the leading flags that a helper container receives', () => {
  it.each([
    ['attach --mtu 1300 web', ''],
    ['--mtu 1300 --bridge=loom --no-dns attach web', '--mtu 1300 --bridge=loom --no-dns'],
    ['--socket /s --local --trace --state-dir=/x --image i --config f --mtu 1300 ps', '--mtu 1300'],
    ['--mtu', '--mtu'],
  ])('%s: %s', (line, expected) => {
    expect(settingsForHost(line.split(' ')).join(' ')).toBe(expected);
  });
});

describe("registrator's flags", () => {
  it('without effect are reported once each, with the reason', () => {
    const { ignoredFlags } = normalise(['-cleanup', '-resync', '5', '-internal', 'consul://host']);
    expect(ignoredFlags).toEqual([
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
    'succeeds for commands that are not needed, so that scripts continue: %s',
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
      daemon: null,
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
    '-help',
    'help attach',
    'help gc',
    'daemon -help',
  ])('prints help for: %s', async (line) => {
    expect(await heddle(line)).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^Usage: heddle/),
      stderr: '',
    });
  });

  it.each([
    [
      'an unknown command, with a suggestion',
      'atach 10.2.1.1/16 web',
      2,
      /unknown command 'atach'[\s\S]*attach/,
    ],
    ['an unknown flag', 'ps --bogus', 2, /unknown option '--bogus'; see heddle ps --help/],
    ['an unknown command without a similar one', 'help foo', 2, /unknown command 'foo'; see heddle --help/],
    ['a misspelt command of help', 'help atach', 2, /unknown command 'atach' \(did you mean 'attach'\?\)/],
    ['logs', 'logs', 2, /unknown command 'logs': .*docker logs heddle.*journalctl -u heddle/],
    ['watch', 'watch -n 1', 2, /unknown command 'watch': watch heddle status/],
    ['--json', 'ps --json', 2, /unknown option '--json': use --format json/],
    ['--json of another', 'doctor --json', 2, /use --format json/],
    ['-a', 'ps -a', 2, /unknown option '-a': .*docker ps --all/],
    ['--watch', 'status --watch', 2, /unknown option '--watch': .*watch heddle status/],
    ['a misspelt flag', 'ps --fromat json', 2, /did you mean '--format'/],
    ['a misspelt flag of many', 'attach --rewrite-host 10.2.1.1/16 web', 2, /did you mean '--rewrite-hosts'/],
    ['a misspelt setting', 'daemon --ipaloc-range 10.0.0.0/8', 2, /did you mean '--ipalloc-range'/],
    ['a misspelt setting before a command', '--mtuu 1400 ps', 2, /did you mean '--mtu'/],
    ['a misspelt flag that belongs before commands', 'ps --trce', 2, /did you mean '--trace'/],
    ['a misspelt setting behind a command', 'ps --mtuu 1400', 2, /did you mean '--mtu'/],
    ['a misspelt flag of registrator', '-internl consul://x', 2, /'-internl' \(did you mean '-internal'/],
    ['another one', '-retry-atempts 3 consul://x', 2, /did you mean '-retry-attempts'/],
    ['a misspelt flag of launch', 'launch --replce', 2, /did you mean '--replace'/],
    [
      'a misspelt part of status',
      'status dsn',
      2,
      /no part 'dsn' \(did you mean 'dns'\?\); expected one of dns/,
    ],
    ['two containers', 'attach a1 a2', 2, /attach: expected one container; got 'a1', 'a2'/],
    ['two containers behind an address', 'detach 10.2.1.1/16 a b', 2, /detach: expected one container/],
    ['a container before its address', 'attach a1 10.2.1.1/16', 2, /comes last: attach 10\.2\.1\.1\/16 a1/],
    ['the same of start', 'start a1 net:default', 2, /comes last: start net:default a1/],
    ['nothing to attach', 'attach', 2, /expected a container after the addresses: attach 10\.2\.1\.1/],
    [
      'too many',
      'restart a b',
      2,
      /expected 1 argument but got 2: a, b; usage: heddle restart .*<container>/,
    ],
    ['too few', 'dns-lookup', 2, /missing required argument 'name'; usage: heddle dns-lookup .*<name>/],
    ['a name where an address belongs', 'expose 10.2.0.1/16 gate', 2, /'gate' is not an address.*-h gate/],
    ['a name where hide expects an address', 'hide gate', 2, /'gate' is not an address/],
    [
      'two containers of one name',
      'dns-add a b -h x',
      2,
      /expected addresses, then one container; got 'a', 'b'/,
    ],
    ['an address with its prefix', 'dns-add 10.2.1.1/16 -h x', 2, /without a prefix length/],
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
    ['an unknown part of status', 'status nosuch', 2, /no part 'nosuch'; expected one of dns, services/],
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
      /^heddle: launch -password requests an encrypted(?!.*hush)/,
    ],
    [
      'a password with two dashes',
      'launch --password=hush-hush host1',
      1,
      /^heddle: launch -password(?!.*hush)/,
    ],
    ['an unknown flag of launch', 'launch --nosuch', 2, /^heddle: unknown option '--nosuch'/],
    ['an unknown format of launch', 'launch --format yaml', 2, /unknown option '--format'/],
    ['a flag of launch behind the daemon’s', 'launch --mtu 1400 --replace host1', 1, /launch host1: joining/],
    ['two registries', 'launch consul://a consul://b', 2, /expected one registry/],
    [
      'a part of the script that is no longer separate',
      'launch-router',
      1,
      /launch-router: heddle launch starts all of it/,
    ],
    ['the proxy', 'env', 1, /env: heddle has no Docker API proxy/],
    [
      'a host entry without --rewrite-hosts',
      'attach --add-host=a:10.0.0.1 --no-rewrite-hosts 10.2.1.1/16 web',
      2,
      /--add-host adds to the file that --rewrite-hosts writes/,
    ],
    [
      'a host without an address',
      'attach --rewrite-hosts --add-host a:b 10.2.1.1/16 web',
      2,
      /--add-host "a:b" does not end with an IP address: expected .*db:10\.2\.9\.9/,
    ],
    ['attaching without a name', 'attach --without-dns 10.2.1.1/16 web', 1, /always its Docker name/],
    ['an unknown format', 'ps --format yaml', 2, /Allowed choices are text, json/],
    ['an invalid setting', '--mtu 10 ps', 2, /--mtu: '10' is less than 576/],
    ['an unknown registry', 'daemon nosuch://x', 2, /--registry: .*unknown registry "nosuch"/],
    ['a missing settings file', '--config /nowhere.yml ps', 2, /settings file \/nowhere\.yml/],
    ['no daemon and no engine', '--socket /nowhere.sock ps', 4, /DOCKER_HOST/],
  ])('reports the problem in one sentence: %s', async (_, line, status, sentence) => {
    const outcome = await heddle(line, { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    expect(outcome).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(sentence) });
  });
});
