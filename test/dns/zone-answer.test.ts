import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { emptyReply, type Question, type Zone } from '../../src/dns/zone.ts';
import { askZones } from '../../src/dns/zone-answer.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { SPECIAL_NAMES, SpecialUseZone } from '../../src/dns/zones/special-use.ts';
import { WeaveZone } from '../../src/dns/zones/weave.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { RecordedView } from './recorded-view.ts';

const view = new RecordedView([
  { via: 'agent-service', body: { ID: 'web-1', Name: 'web', Tags: ['v1'], Address: '10.2.1.1', Port: 80 } },
  { via: 'agent-service', body: { ID: 'far-1', Name: 'far', Address: 'backend.example.com', Port: 80 } },
]);
const settings = { ...SERVICE_ZONE_DEFAULTS, altDomain: 'alt.example', node: 'n1' };
const names = new NameTable();
names.set('a', [{ name: 'db.weave.local', ip: '10.2.1.7', explicit: true }]);
const asked: string[] = [];
const forward: Zone = {
  name: 'forward',
  resolve: async ({ name, type }: Question) => {
    asked.push(`${name} ${type}`);
    if (name !== 'www.example.com') return emptyReply('NXDOMAIN');
    const answers = type === 'A' ? [{ type: 'A' as const, name, data: '203.0.113.7' }] : [];
    return { message: dnsPacket.encode({ type: 'response', questions: [{ name, type: 'A' }], answers }) };
  },
};
const resolver = new Resolver({
  zones: [
    new SpecialUseZone(SPECIAL_NAMES),
    new ServiceZone({ view }, settings),
    new WeaveZone({ names }, { domain: 'weave.local' }),
    new ReverseZone({ view, names }, settings, ['10.2.0.0/16']),
    forward,
  ],
  log: silentLogger,
});
const ask = (text: string) =>
  askZones(text, resolver, { ...settings, domain: 'consul', weaveDomain: 'weave.local' });

describe('a text is asked with the names that it can mean:', () => {
  test.each([
    ['web', ['web.service.consul service NOERROR 10.2.1.1', 'web weave NXDOMAIN ']],
    ['db', ['db.service.consul service NXDOMAIN ', 'db weave NOERROR 10.2.1.7']],
    ['v1.web', ['v1.web.service.consul service NOERROR 10.2.1.1']],
    ['web.service', ['web.service.consul service NOERROR 10.2.1.1']],
    ['Web.Service.Consul.', ['Web.Service.Consul service NOERROR 10.2.1.1']],
    ['web.service.alt.example', ['web.service.alt.example service NOERROR 10.2.1.1']],
    [
      '_web._tcp.service.consul',
      ['_web._tcp.service.consul service NOERROR port 80 of 0a020101.addr.dc1.consul'],
    ],
    ['far.service.consul', ['far.service.consul service NOERROR alias of backend.example.com']],
    ['db.weave.local', ['db.weave.local weave NOERROR 10.2.1.7']],
    ['nope.weave.local', ['nope.weave.local weave NXDOMAIN ']],
    ['10.2.1.7', ['7.1.2.10.in-addr.arpa reverse NOERROR db.weave.local']],
    ['10.2.9.9', ['9.9.2.10.in-addr.arpa reverse NXDOMAIN ']],
    ['7.1.2.10.in-addr.arpa', ['7.1.2.10.in-addr.arpa reverse NOERROR db.weave.local']],
    ['a.localhost', ['a.localhost special-use NOERROR 127.0.0.1,::1']],
    [
      'www.example.com',
      ['www.example.com.service.consul service NXDOMAIN ', 'www.example.com forward NOERROR 203.0.113.7'],
    ],
  ])('%s', async (text, expected) => {
    const found = (await ask(text)).map(
      ({ name, zone, rcode, answers }) => `${name} ${zone} ${rcode} ${answers}`,
    );
    expect(found).toEqual(expected);
  });

  test('own names, and services with tags, are never forwarded', async () => {
    asked.length = 0;
    for (const text of ['v1.web', 'x.service.consul', 'nope.weave.local', '10.2.9.9', 'web']) await ask(text);
    expect(asked).toEqual([]);
  });

  test.each([
    ['web.service.dc2.consul', /^dc2 is another datacenter than ours, dc1: only Consul can answer it/],
    ['db.query.consul', /^only Consul can answer it/],
    ['web.connect.alt.example', /^only Consul can answer it/],
    ['nope.service.consul', undefined],
    ['web.service.dc1.consul', undefined],
  ])('why %s is denied', async (text, why) => {
    const [answer] = await ask(text);
    if (why === undefined) expect(answer?.why).toBeUndefined();
    else expect(answer).toMatchObject({ rcode: 'NXDOMAIN', why: expect.stringMatching(why) });
  });

  test.each(['', '..', 'x'.repeat(64), `${'x.'.repeat(200)}x`])('%j is refused', async (text) => {
    await expect(ask(text)).rejects.toMatchObject({ code: 'bad-input' });
  });
});
