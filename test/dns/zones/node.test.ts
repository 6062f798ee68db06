import { expect, test } from 'vitest';
import { metaText, nodeReply } from '../../../src/dns/zones/node.ts';

const asked = (type: string) => ({ owner: 'H1.node.consul', type });
const node = { address: 'fd00::1', meta: { rack: 'r7' } };

test.each([
  ['A', [], ['TXT']],
  ['AAAA', ['AAAA'], ['TXT']],
  ['ANY', ['AAAA', 'TXT'], []],
  ['TXT', ['TXT'], []],
])('%s: answers %j, beside them %j', (type, answers, additionals) => {
  const reply = nodeReply(node, asked(type), 15);
  expect(reply.answers.map((record) => record.type)).toEqual(answers);
  expect(reply.additionals.map((record) => record.type)).toEqual(additionals);
  for (const record of [...reply.answers, ...reply.additionals])
    expect(record).toMatchObject({ name: 'H1.node.consul', ttl: 15 });
});

test('a node at a host name is an alias of it', () => {
  const { answers } = nodeReply({ address: 'h1.example.com.', meta: {} }, asked('A'), 0);
  expect(answers).toMatchObject([{ type: 'CNAME', data: 'h1.example.com' }]);
});

test('a node whose address DNS cannot express has none', () => {
  expect(nodeReply({ address: 'x'.repeat(70), meta: {} }, asked('A'), 0).answers).toEqual([]);
});

test.each([
  ['rack', 'r7', 'rack=r7'],
  ['', '', '='],
  ['k=ey', 'v`al=', 'k`=ey=v``al='],
  ['`', '', '``='],
  ['  a b ', 'c', '` ` a b` =c'],
  ['rfc1035-note', 'plain text', 'plain text'],
  ['RFC1035-note', 'a=b', 'a=b'],
])('the metadata `%s`: `%s` is the text `%s`', (key, value, text) => {
  expect(metaText(key, value)).toBe(text);
});
