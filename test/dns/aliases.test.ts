import type dnsPacket from 'dns-packet';
import type { Answer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AliasZone } from '../../src/dns/aliases.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { hostRecords, type OtherNames } from '../../src/dns/other-names.ts';
import { emptyReply, type Question, type Reply, type Zone } from '../../src/dns/zone.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { WeaveZone } from '../../src/dns/zones/weave.ts';
import { questionOf } from './question.ts';
import { RecordedView } from './recorded-view.ts';
import { replyTo } from './upstream.ts';

const service = (Name: string, Address: string) => ({
  via: 'agent-service',
  body: { ID: `${Name}-1`, Name, Address, Port: 80 },
});
const view = new RecordedView([
  service('web', '10.2.1.1'),
  service('abroad', 'alias.example.com'),
  service('six', 'fd00::6'),
]);
const settings = { ...SERVICE_ZONE_DEFAULTS, altDomain: 'alt.example', node: 'n1' };
const names = new NameTable();
names.set('a', [{ name: 'db.weave.local', ip: '10.2.1.7', explicit: true }]);

/** The answers of another server, and how often it was asked. */
function otherServer(answers: readonly Partial<Answer>[], rcode = 0) {
  const asked: Question[] = [];
  const resolve: OtherNames['resolve'] = async (question) => {
    asked.push(question);
    const query = { id: 1, questions: [{ name: question.asked, type: question.type, class: 'IN' }] };
    const message = Buffer.from(replyTo(query as dnsPacket.DecodedPacket, answers));
    message[3] = ((message[3] as number) & 0xf0) | rcode;
    return { message };
  };
  return { asked, resolve };
}

function zonesOver(others: OtherNames): { readonly forward: AliasZone; readonly own: readonly Zone[] } {
  const weave = new WeaveZone({ names }, { domain: 'weave.local' });
  const behind: OtherNames = {
    resolve: async (question) => weave.resolve(question) ?? forward.resolve(question),
  };
  const own: readonly Zone[] = [
    new ServiceZone({ view, hostRecords: (host, question) => hostRecords(behind, host, question) }, settings),
    weave,
    new ReverseZone({ view, names }, settings, []),
  ];
  const forward = new AliasZone({ others, own }, { ownDomains: ['consul', 'alt.example', 'weave.local'] });
  return { forward, own };
}

const alias = (data: string, name?: string): Partial<Answer> =>
  ({ type: 'CNAME', data, ttl: 60, ...(name !== undefined && { name }) }) as Partial<Answer>;

const dataOf = (reply: Reply) => reply.answers.map(({ data }) => data);

describe('an alias of another server that ends at one of our names', () => {
  test.each([
    ['a service', 'A', [alias('web.service.consul')], ['web.service.consul', '10.2.1.1']],
    [
      'a service, after other aliases',
      'A',
      [alias('b.example.com'), alias('web.service.consul', 'b.example.com')],
      ['b.example.com', 'web.service.consul', '10.2.1.1'],
    ],
    ['a service in its own letters', 'A', [alias('Web.Service.CONSUL')], ['Web.Service.CONSUL', '10.2.1.1']],
    [
      'a service of the second domain',
      'A',
      [alias('web.service.alt.example')],
      ['web.service.alt.example', '10.2.1.1'],
    ],
    ['a service over IPv6', 'AAAA', [alias('six.service.consul')], ['six.service.consul', 'fd00::6']],
    ['a container', 'A', [alias('db.weave.local')], ['db.weave.local', '10.2.1.7']],
    [
      'a container, asked for its family that it lacks',
      'AAAA',
      [alias('db.weave.local')],
      ['db.weave.local'],
    ],
    ['a reverse name', 'PTR', [alias('7.1.2.10.in-addr.arpa')], ['7.1.2.10.in-addr.arpa', 'db.weave.local']],
  ])('%s is answered with the records of its target', async (_, type, answers, expected) => {
    const { forward } = zonesOver(otherServer(answers));
    const reply = (await forward.resolve(questionOf('www.example.com', type))) as Reply;
    expect(reply).toMatchObject({ rcode: 'NOERROR', authoritative: false });
    expect(dataOf(reply)).toEqual(expected);
    expect(reply.answers[0]).toMatchObject({ name: 'www.example.com', ttl: 60 });
  });

  test('is answered although the other server answers NXDOMAIN', async () => {
    const { forward } = zonesOver(otherServer([alias('web.service.consul')], 3));
    const reply = (await forward.resolve(questionOf('www.example.com'))) as Reply;
    expect([reply.rcode, ...dataOf(reply)]).toEqual(['NOERROR', 'web.service.consul', '10.2.1.1']);
  });

  test('is answered with our addresses, whatever address the other server gives for our name', async () => {
    const theirs = { type: 'A', name: 'web.service.consul', data: '203.0.113.66' } as const;
    const { forward } = zonesOver(otherServer([alias('web.service.consul'), theirs]));
    const reply = (await forward.resolve(questionOf('www.example.com'))) as Reply;
    expect(dataOf(reply)).toEqual(['web.service.consul', '10.2.1.1']);
  });

  test('that does not exist is NXDOMAIN, with our SOA', async () => {
    const { forward } = zonesOver(otherServer([alias('nope.service.consul')]));
    const reply = (await forward.resolve(questionOf('www.example.com'))) as Reply;
    expect([reply.rcode, ...dataOf(reply)]).toEqual(['NXDOMAIN', 'nope.service.consul']);
    expect(reply.authorities).toMatchObject([{ name: 'consul', type: 'SOA' }]);
  });

  test('that leads back to the other server is followed three times, and no more', async () => {
    const others = otherServer([alias('abroad.service.consul')]);
    const { forward } = zonesOver(others);
    const reply = (await forward.resolve(questionOf('alias.example.com'))) as Reply;
    expect(reply.answers.every(({ type }) => type === 'CNAME')).toBe(true);
    expect(others.asked.length).toBeLessThanOrEqual(4);
  });
});

describe('an answer of another server is passed on unchanged', () => {
  test.each([
    ['where it is an address', 'A', [{ type: 'A', data: '203.0.113.7' }]],
    [
      'where an alias ends elsewhere',
      'A',
      [alias('b.example.com'), { type: 'A', name: 'b.example.com', data: '203.0.113.7' }],
    ],
    ['where the alias is asked for', 'CNAME', [alias('web.service.consul')]],
    ['where everything is asked for', 'ANY', [alias('web.service.consul')]],
    ['where the alias is not on the way', 'A', [alias('web.service.consul', 'other.example.com')]],
    [
      'where aliases go in a circle',
      'A',
      [alias('b.example.com'), alias('www.example.com', 'b.example.com')],
    ],
    ['where our reverse zone knows nothing', 'PTR', [alias('7.113.0.203.in-addr.arpa')]],
  ])('%s', async (_, type, answers) => {
    const { forward } = zonesOver(otherServer(answers as Partial<Answer>[]));
    expect(await forward.resolve(questionOf('www.example.com', type))).toHaveProperty('message');
  });

  test('if it is refused, and if it cannot be decoded', async () => {
    const refusing: OtherNames = { resolve: async () => emptyReply('REFUSED') };
    expect(await zonesOver(refusing).forward.resolve(questionOf('www.example.com'))).toEqual(
      emptyReply('REFUSED'),
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 12, maxLength: 200 }), async (bytes) => {
        const question = questionOf('www.example.com');
        const message = Buffer.concat([bytes.subarray(0, 12), question.bytes, bytes.subarray(12)]);
        const { forward } = zonesOver({ resolve: async () => ({ message }) });
        expect(await forward.resolve(question)).toBeDefined();
      }),
    );
  });
});
