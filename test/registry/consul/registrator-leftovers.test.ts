import { expect, test } from 'vitest';
import { isRegistratorId } from '../../../src/registry/consul/registrator-leftovers.ts';

test.each([
  ['host1.lan:web-1:80', true],
  ['host1.lan:a_b.c:53:udp', true],
  ['host1:web-1:80', false],
  ['host1xlan:web-1:80', false],
  ['x:host1.lan:web-1:80', false],
  ['host1.lan:web-1', false],
  ['host1.lan:web-1:http', false],
  ['host1.lan:web-1:80:tcp', false],
  ['host1.lan:x:web-1:80', false],
  ['host1.lan:-x:80', false],
  ['host1.lan:web-1:80\n', false],
  ['host1.lan', false],
  ['my-own-id', false],
])("%j is a registrator's of host1.lan: %s", (id, expected) => {
  expect(isRegistratorId(id, 'host1.lan')).toBe(expected);
});
