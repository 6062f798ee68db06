import { describe, expect, it } from 'vitest';
import { formatRequest } from '../../src/ipam/request.ts';
import { parseRun } from '../../src/run/command.ts';

const parsed = (line: string) => {
  const { withDns, requests, dockerOptions, imageAndCommand } = parseRun(line.split(' '));
  return [withDns, requests.map(formatRequest).join(' '), [...dockerOptions, ...imageAndCommand].join(' ')];
};

/** Of docker 28, without those that take no value and without `--help`. */
const DOCKER_FLAGS =
  'annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-count ' +
  'cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems detach-keys ' +
  'device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns dns-option ' +
  'dns-search domainname entrypoint env env-file expose gpus group-add health-cmd health-interval health-retries ' +
  'health-start-interval health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6 ipc isolation ' +
  'kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation ' +
  'memory-swap memory-swappiness mount name network network-alias oom-score-adj pid pids-limit platform publish pull ' +
  'restart runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts ' +
  'volume volume-driver volumes-from workdir no-healthcheck';

it('passes on the flags of attach, and keeps docker’s own for docker', () => {
  const flags = ['--no-multicast-route', '--rewrite-hosts', '--no-rewrite-hosts'];
  const { attachFlags, imageAndCommand } = parseRun([...flags, '10.2.1.1/16', 'nginx', ...flags]);
  expect([attachFlags, imageAndCommand]).toEqual([flags, ['nginx', ...flags]]);
});

describe('the arguments of run', () => {
  it.each([
    ['10.2.1.1/16 nginx', [false, '10.2.1.1/16', 'nginx']],
    ['--with-dns 10.2.1.1/16 -ti nginx sh', [true, '10.2.1.1/16', '-ti nginx sh']],
    ['10.2.1.1/16 --with-dns 10.3.1.1/24 nginx', [true, '10.2.1.1/16 10.3.1.1/24', 'nginx']],
    ['10.2.1.1/16 fd00::1/64 nginx', [false, '10.2.1.1/16 fd00::1/64', 'nginx']],
    ['nginx', [false, '', 'nginx']],
    ['net:default ip:10.2.1.1/16 nginx', [false, 'net:default 10.2.1.1/16', 'nginx']],
    // What scripts of weave 1.x have before the addresses.
    ['--without-dns --no-rewrite-hosts 10.2.1.1/16 nginx', [false, '10.2.1.1/16', 'nginx']],
    [
      '--add-host=a:10.0.0.1 --add-host b:10.0.0.2 10.2.1.1/16 -i nginx',
      [false, '10.2.1.1/16', '--add-host=a:10.0.0.1 --add-host b:10.0.0.2 -i nginx'],
    ],
    ['--format json 10.2.1.1/16 -h web nginx', [false, '10.2.1.1/16', '-h web nginx']],
    ['10.2.1.1/16 nginx --rewrite-hosts', [false, '10.2.1.1/16', 'nginx --rewrite-hosts']],
    ['net:10.32.5.0/24 net:5000/web', [false, 'net:10.32.5.0/24', 'net:5000/web']],
    ['10.2.1.1/16 10.0.0.5:5000/web', [false, '10.2.1.1/16', '10.0.0.5:5000/web']],
    [
      '10.2.1.1/16 -e A=10.2.1.2/16 web --with-dns',
      [false, '10.2.1.1/16', '-e A=10.2.1.2/16 web --with-dns'],
    ],
    // Ours stand anywhere before the image.
    ['--name m1 10.2.1.3/16 nginx', [false, '10.2.1.3/16', '--name m1 nginx']],
    ['-it 10.2.1.3/16 busybox sh', [false, '10.2.1.3/16', '-it busybox sh']],
    ['-d --rm 10.2.1.3/16 net:default busybox', [false, '10.2.1.3/16 net:default', '-d --rm busybox']],
    ['--name m1 --with-dns 10.2.1.3/16 -p 80:80 nginx', [true, '10.2.1.3/16', '--name m1 -p 80:80 nginx']],
    ['10.2.1.3/16 -p 80:80 --with-dns nginx', [true, '10.2.1.3/16', '-p 80:80 nginx']],
    ['-- 10.2.1.3/16 nginx sh', [false, '10.2.1.3/16', '-- nginx sh']],
    ['-it -- nginx -- 10.2.1.3/16', [false, '', '-it -- nginx -- 10.2.1.3/16']],
    // Values of docker's options are none of ours.
    ['--ip 10.2.1.3 nginx', [false, '', '--ip 10.2.1.3 nginx']],
    ['--ip=10.2.1.3 --ip6 fd00::1 nginx', [false, '', '--ip=10.2.1.3 --ip6 fd00::1 nginx']],
    ['-e X=10.2.1.3/16 -eY=10.2.1.4/16 nginx', [false, '', '-e X=10.2.1.3/16 -eY=10.2.1.4/16 nginx']],
    ['-ite 10.2.1.3/16 nginx', [false, '', '-ite 10.2.1.3/16 nginx']],
    ['-h --with-dns nginx', [false, '', '-h --with-dns nginx']],
    ['--dns 10.2.1.3 --add-host a:10.2.1.3 nginx', [false, '', '--dns 10.2.1.3 --add-host a:10.2.1.3 nginx']],
    ['--no-healthcheck 10.2.1.3/16 nginx', [false, '10.2.1.3/16', '--no-healthcheck nginx']],
    // Docker knows no such flag, and says so.
    ['10.2.1.3/16 --nosuch nginx', [false, '10.2.1.3/16', '--nosuch nginx']],
    ['--invented-later 10.2.1.3/16 nginx', [false, '', '--invented-later 10.2.1.3/16 nginx']],
    // Images.
    ['-it 10.0.0.5:5000/web:1 sh', [false, '', '-it 10.0.0.5:5000/web:1 sh']],
    ['-it 10.0.0.5/web', [false, '', '-it 10.0.0.5/web']],
    ['-it registry.example/10.2.1.3/16', [false, '', '-it registry.example/10.2.1.3/16']],
    ['net:latest', [false, '', 'net:latest']],
    ['--name m1 nginx 10.2.1.3/16', [false, '', '--name m1 nginx 10.2.1.3/16']],
  ])('%s', (line, expected) => {
    expect(parsed(line)).toEqual(expected);
  });

  it('takes no flag of today’s docker run for a misspelt flag of heddle', () => {
    for (const flag of DOCKER_FLAGS.split(' ')) {
      expect(parsed(`--${flag}=1 nginx`)).toEqual([false, '', `--${flag}=1 nginx`]);
    }
  });

  it.each([
    ['--with-dns', /needs an image/],
    ['10.2.0.300/16 nginx', /10\.2\.0\.300\/16/],
    ['10.2.1.1 nginx', /prefix length/],
    ['10.2.1.1/33 nginx', /0 to 32/],
    ['10.2.1.1/16', /needs an image/],
    ['10.2.1.1/16 10.2.1 nginx', /"10\.2\.1"/],
    ['--format yaml nginx', /--format: 'yaml' is not one of text, json/],
    ['10.2.1.1/16 --add-host', /needs an image/],
    ['10.2.1.1/16 --name m1 -it', /needs an image/],
    ['--name m1 10.2.1.300/16 nginx', /10\.2\.1\.300\/16/],
    ['-it 10.2.1.3/16', /needs an image/],
    ['-it 10.2.1.3 nginx', /prefix length/],
    ['--with-dsn 10.2.1.3/16 nginx', /unknown option '--with-dsn' \(did you mean '--with-dns'\?\)/],
    ['-it --rewrite-host nginx', /did you mean '--rewrite-hosts'/],
    ['--with-dns=true nginx', /--with-dns takes no value/],
    ['net:defualt nginx', /did you mean 'net:default'/],
    ['10.2.1.3/16 --help nginx', /--help must be the only argument: heddle run --help/],
    ['--detach=false 10.2.1.3/16 nginx', /only starts containers in the background/],
    ['-d=false nginx', /only starts containers in the background/],
    ['--name shop/web 10.2.1.3/16 nginx', /"shop\/web" cannot be a container's name/],
    ['--local 10.2.1.3/16 nginx', /--local must come before the command: heddle --local … run …/],
    ['--mtu=1400 nginx', /--mtu must come before the command/],
    ['-it --socket /s nginx', /--socket must come before the command/],
  ])('rejects: %s', (line, sentence) => {
    expect(() => parseRun(line.split(' '))).toThrow(sentence);
  });
});
