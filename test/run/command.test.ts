import { describe, expect, it } from 'vitest';
import { formatRequest } from '../../src/ipam/request.ts';
import { parseRun } from '../../src/run/command.ts';

const parsed = (line: string) => {
  const { withDns, requests, dockerArgs } = parseRun(line.split(' '));
  return [withDns, requests.map(formatRequest).join(' '), dockerArgs.join(' ')];
};

it('hands the flags of attach on, and docker’s own stay docker’s', () => {
  const flags = ['--no-multicast-route', '--rewrite-hosts', '--no-rewrite-hosts'];
  const { attachFlags, dockerArgs } = parseRun([...flags, '10.2.1.1/16', 'nginx', ...flags]);
  expect([attachFlags, dockerArgs]).toEqual([flags, ['nginx', ...flags]]);
});

describe('the words of run', () => {
  it.each([
    ['10.2.1.1/16 nginx', [false, '10.2.1.1/16', 'nginx']],
    ['--with-dns 10.2.1.1/16 -ti nginx sh', [true, '10.2.1.1/16', '-ti nginx sh']],
    ['10.2.1.1/16 --with-dns 10.3.1.1/24 nginx', [true, '10.2.1.1/16 10.3.1.1/24', 'nginx']],
    ['10.2.1.1/16 fd00::1/64 nginx', [false, '10.2.1.1/16 fd00::1/64', 'nginx']],
    ['nginx', [false, 'net:default', 'nginx']],
    ['net:default ip:10.2.1.1/16 nginx', [false, 'net:default 10.2.1.1/16', 'nginx']],
    // What scripts of weave 1.x have before the addresses.
    ['--without-dns --no-rewrite-hosts 10.2.1.1/16 nginx', [false, '10.2.1.1/16', 'nginx']],
    [
      '--add-host=a:10.0.0.1 --add-host b:10.0.0.2 10.2.1.1/16 -i nginx',
      [false, '10.2.1.1/16', '--add-host=a:10.0.0.1 --add-host=b:10.0.0.2 -i nginx'],
    ],
    ['--format json 10.2.1.1/16 -h web nginx', [false, '10.2.1.1/16', '-h web nginx']],
    ['10.2.1.1/16 nginx --rewrite-hosts', [false, '10.2.1.1/16', 'nginx --rewrite-hosts']],
    ['net:10.32.5.0/24 net:5000/web', [false, 'net:10.32.5.0/24', 'net:5000/web']],
    ['10.2.1.1/16 10.0.0.5:5000/web', [false, '10.2.1.1/16', '10.0.0.5:5000/web']],
    [
      '10.2.1.1/16 -e A=10.2.1.2/16 web --with-dns',
      [false, '10.2.1.1/16', '-e A=10.2.1.2/16 web --with-dns'],
    ],
  ])('%s', (line, expected) => {
    expect(parsed(line)).toEqual(expected);
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
  ])('refuses: %s', (line, sentence) => {
    expect(() => parseRun(line.split(' '))).toThrow(sentence);
  });
});
