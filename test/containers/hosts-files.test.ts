import { beforeEach, describe, expect, it, test } from 'vitest';
import { HostsFiles } from '../../src/containers/hosts-files.ts';
import { HeddleError } from '../../src/errors.ts';
import { Claims } from '../../src/ipam/claims.ts';
import type { Address } from '../../src/network/address.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { MemoryState } from '../../src/state/state.ts';
import { containerId, snapshot } from '../support/snapshot.ts';

const DOCKER = '127.0.0.1\tlocalhost\n172.17.0.2\tweb.example.org web\n';
const web = snapshot('c', { name: 'web', hostname: 'web', domainname: 'example.org' });
const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;
const on = (device: string, ...ips: string[]): Address[] =>
  ips.map((ip) => ({ ip, prefixLength: 16, family: 4, interface: device }));

let claims: Claims;
let text: string;
let trouble: HeddleError | undefined;
let files: HostsFiles;

beforeEach(() => {
  claims = new Claims(new MemoryState());
  text = DOCKER;
  trouble = undefined;
  files = new HostsFiles(
    {
      claims,
      network: { addresses: async () => on('ethwe', '10.2.1.1') },
      edit: async (_, change) => {
        if (trouble) throw trouble;
        text = change(text);
      },
    },
    { interface: 'ethwe' },
  );
});

const asked = () => claims.add(web.id, [first], { hosts: [{ name: 'db', ip: '10.2.9.9' }] });
const found = { snapshot: web, nsPath: '/ns', namespace: 7 };

describe('the hosts file of a container', () => {
  it('has its addresses on our interface, where that was requested, and follows them', async () => {
    await asked();
    await files.keep(web, [...on('eth0', '172.17.0.2'), ...on('ethwe', '10.2.1.1')]);
    expect(text).toContain('begin\n10.2.1.1 web.example.org web\n10.2.9.9 db\n#');
    await claims.add(web.id, [second]);
    await files.keep(web, on('ethwe', '10.2.1.1', '10.2.1.2'));
    expect(text).toContain(
      'begin\n10.2.1.1 web.example.org web\n10.2.1.2 web.example.org web\n10.2.9.9 db\n#',
    );
  });

  it('is as it was when the container is detached', async () => {
    await asked();
    await files.keep(web, on('ethwe', '10.2.1.1'));
    await claims.release(web.id, [first]);
    await files.keep(web, on('ethwe', '10.2.1.1')); // not off the interface yet
    expect(text).not.toBe(DOCKER);
    await files.keep(web, []);
    expect(text).toBe(DOCKER);
  });

  it('is not opened where nothing was requested', async () => {
    trouble = new HeddleError('failed', 'opened');
    await files.keep(web, on('ethwe', '10.2.1.1'));
    await claims.add(web.id, [first]);
    await files.keep(web, on('ethwe', '10.2.1.1'));
    await asked();
    await files.keep(web, []); // its addresses are still to come
    await claims.remove(web.id, [first]);
    await expect(files.keep(web, [])).rejects.toThrow('opened');
  });

  it('is not restored where we could not have written it', async () => {
    await claims.clear(web.id);
    trouble = new HeddleError('not-supported', 'a link');
    await files.keep(web, []);
  });

  it('that cannot be written after an attachment is reported, and the attachment stays', async () => {
    await asked();
    trouble = new HeddleError('failed', 'no space');
    await expect(files.complete(found)).rejects.toThrow('no space; its addresses are attached nevertheless');
    trouble = undefined;
    await files.complete(found);
    expect(text).toContain('\n10.2.1.1 web.example.org web\n');
  });
});

describe('before anything is changed', () => {
  it('a file that cannot be written is refused', async () => {
    await files.check(web);
    expect(text).toBe(DOCKER);
    trouble = new HeddleError('not-supported', 'a link');
    await expect(files.check(web)).rejects.toThrow('a link');
  });

  test.each([
    [
      'who shares a network and its file',
      { networkMode: `container:${containerId('d')}` },
      /d0{11}: name that/,
    ],
    [
      'a host name of two lines',
      { hostname: 'web\n10.0.0.1 evil', domainname: '' },
      /"web\\n10\.0\.0\.1 evil"/,
    ],
    ['a host name that is a comment', { hostname: '#', domainname: '' }, /"#", which .*--hostname/],
    ['none at all', { hostname: '', domainname: '' }, /the host name of 'web' is ""/],
  ])('%s is refused', async (_, more, message) => {
    await expect(files.check({ ...web, ...more })).rejects.toThrow(message);
  });
});
