/** heddle's forwarding alone, on loopback: `heddle-forwarder.ts PORT UPSTREAM-PORT plain|batched`. */
import { AnswerCache } from '../../src/dns/cache/answer-cache.ts';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { UpstreamClient } from '../../src/dns/forward/upstream/client.ts';
import { LocalNetworks } from '../../src/dns/local-networks.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { RateLimit } from '../../src/dns/server/rate-limit.ts';
import { DnsServer } from '../../src/dns/server/server.ts';
import { createLogger } from '../../src/runtime/log.ts';

const [port = '', upstreamPort = '', step = ''] = process.argv.slice(2);
const log = createLogger({ level: 'error', pretty: false }, process.stderr);
const local = new LocalNetworks();
const isLocal = (client: string) => local.includes(client);
const upstreams = { servers: [{ ip: '127.0.0.1', port: Number(upstreamPort) }] };
const forward = new ForwardZone(
  {
    upstreams: { current: async () => upstreams },
    client: new UpstreamClient(),
    isLocal,
    isOwn: () => false,
  },
  { ownDomains: [] },
);
const responder = new Responder({
  resolver: new Resolver({ zones: [forward], log }),
  recursionFor: isLocal,
  limit: new RateLimit(isLocal),
  cache: new AnswerCache(),
  log,
});
await new DnsServer(
  { responder, log },
  {
    listen: [{ ip: '127.0.0.1', port: Number(port) }],
    udp: { batched: step === 'batched' },
  },
).start();
