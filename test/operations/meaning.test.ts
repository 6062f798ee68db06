import { describe, expect, it } from 'vitest';
import { explainCommand } from '../../src/commands/inspect/explain.ts';
import type { ZoneAnswer } from '../../src/dns/zone-answer.ts';
import { HeddleError } from '../../src/errors.ts';
import type { HostOperations, NamesReport } from '../../src/operations/host-operations.ts';
import { meaningOf } from '../../src/operations/meaning.ts';
import { collect } from '../../src/runtime/io.ts';
import { define } from '../../src/services/define.ts';
import { wouldRegister } from '../../src/services/would-register.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const OPTIONS = { hostId: 'h', runs: () => true };

function report(options: Parameters<typeof entryOf>[0]) {
  const entry = entryOf(options);
  const services = define(entry, OPTIONS).definitions.map(({ service }) => service);
  return { entry, services, wouldRegister: wouldRegister(entry, services, OPTIONS), problems: ['a note'] };
}

const web = report({ name: 'web-1', env: { SERVICE_NAME: 'web' }, ports: [80] });
const outside = report({ id: containerId('b'), name: 'outside', ip: null });
const { id } = web.entry.snapshot;
const entries: NamesReport['entries'] = [
  { name: 'web-1.weave.local', ip: '10.2.1.1', owner: id },
  { name: 'printer.weave.local', ip: '192.0.2.7', owner: '' },
];
const answerOf = (
  name: string,
  zone: string,
  answers: readonly string[],
  more: Partial<ZoneAnswer> = {},
) => ({
  ...{ name, zone, answers },
  rcode: answers.length > 0 ? 'NOERROR' : 'NXDOMAIN',
  ...more,
});

function hostWith(asked: readonly ZoneAnswer[] | undefined | Error): HostOperations {
  const instances = web.services.map((service) => ({
    service,
    node: 'n',
    nodeAddress: '127.0.0.1',
    status: 'passing',
  }));
  return {
    ask: async () => {
      if (asked instanceof Error) throw asked;
      return asked;
    },
    containers: async () => [web, outside],
    instances: async (name: string) => instances.filter(({ service }) => service.name === name),
    names: async () => ({ domain: 'weave.local', upstreams: [], entries }),
    registration: () => 'registered',
    onlyPassing: false,
  } as unknown as HostOperations;
}

async function explained(term: string, asked: readonly ZoneAnswer[] | undefined | Error) {
  const stdout = collect();
  const status = await explainCommand.run(
    hostWith(asked),
    { args: [term], options: {} },
    { stdout, stderr: stdout },
  );
  return { status, text: stdout.text };
}

describe('explain', () => {
  it('shows the zone of a service, and its containers', async () => {
    const { status, text } = await explained('web', [
      answerOf('web.service.consul', 'service', ['10.2.1.1']),
      answerOf('web', 'weave', []),
    ]);
    expect(status).toBe(0);
    expect(text).toContain('web.service.consul, zone service (services, nodes and addresses): 10.2.1.1\n');
    expect(text).toContain('service web: answers 10.2.1.1\n');
    expect(text).not.toContain('zone weave');
  });

  it("shows the container behind a container's name, and why it is announced", async () => {
    const { status, text } = await explained('web-1.weave.local', [
      answerOf('web-1.weave.local', 'weave', ['10.2.1.1']),
    ]);
    expect(status).toBe(0);
    expect(text).toBe(
      'web-1.weave.local, zone weave (names of containers): 10.2.1.1\n' +
        `container web-1 (${id.slice(0, 12)})\n  10.2.1.1: test\n  names     web-1.weave.local\n  services  web\n  note: a note\n`,
    );
  });

  it('shows the names and the container of an address', async () => {
    const { status, text } = await explained('10.2.1.1', [
      answerOf('1.1.2.10.in-addr.arpa', 'reverse', ['web.service.dc1.consul']),
    ]);
    expect(status).toBe(0);
    expect(text).toContain('zone reverse (names of addresses): web.service.dc1.consul\n');
    expect(text).toContain(`container web-1 (${id.slice(0, 12)})\n`);
  });

  it.each(['outside', '/outside', containerId('b'), containerId('b').slice(0, 12)])(
    'of a container, as %s, says why nothing of it answers',
    async (term) => {
      const { status, text } = await explained(term, [
        answerOf('x.service.consul', 'service', []),
        answerOf('x', 'weave', []),
      ]);
      expect(status).toBe(3);
      expect(text).toContain('container outside (');
      expect(text).toContain('  not announced: ethwe: no such interface\n');
    },
  );

  it('shows a container whose name is no DNS name', async () => {
    const { text } = await explained('outside', new HeddleError('bad-input', 'no name'));
    expect(text).toContain('container outside (');
    await expect(explained('nobody', new HeddleError('bad-input', 'no name'))).rejects.toThrow('no name');
  });

  it('shows the answer of DNS for another datacenter, and its reason', async () => {
    const why = 'dc2 is another datacenter than ours';
    const { status, text } = await explained('web.service.dc2.consul', [
      answerOf('web.service.dc2.consul', 'service', [], { why }),
    ]);
    expect(status).toBe(3);
    expect(text).toBe(
      `web.service.dc2.consul, zone service (services, nodes and addresses): NXDOMAIN: ${why}\n`,
    );
  });

  it("shows the upstream servers for a name outside heddle's domains", async () => {
    const { status, text } = await explained('www.example.com', [
      answerOf('www.example.com.service.consul', 'service', []),
      answerOf('www.example.com', 'forward', ['203.0.113.7']),
    ]);
    expect(status).toBe(0);
    expect(text).toBe(
      "www.example.com, zone forward (other names, answered by the host's resolvers): 203.0.113.7\n",
    );
  });

  it('treats a term as a service without a daemon', async () => {
    const { status, text } = await explained('web', undefined);
    expect([status, text.split('\n')[0]]).toEqual([0, 'service web: answers 10.2.1.1']);
  });

  it('reports an unknown name', async () => {
    const { status, text } = await explained('nope', [
      answerOf('nope.service.consul', 'service', []),
      answerOf('nope', 'weave', []),
    ]);
    expect(status).toBe(3);
    expect(text).toContain('nope.service.consul, zone service (services, nodes and addresses): NXDOMAIN\n');
    expect(text).toContain('nope, zone weave (names of containers): NXDOMAIN\n');
    expect(text).toContain(
      'service nope: nothing answers: no service is called nope; services of this host: web\n',
    );
  });

  it('has the same content in JSON as in text', async () => {
    const meaning = await meaningOf(
      '10.2.1.1',
      hostWith([answerOf('1.1.2.10.in-addr.arpa', 'reverse', ['web.service.dc1.consul'])]),
    );
    expect(meaning).toMatchObject({
      name: '10.2.1.1',
      answers: ['web.service.dc1.consul'],
      asked: [{ zone: 'reverse', rcode: 'NOERROR' }],
      containers: [{ containerName: 'web-1', names: ['web-1.weave.local'], services: ['web'] }],
    });
  });
});
