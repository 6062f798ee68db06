import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { DnsServer } from '../../src/dns/server/server.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { eventually } from '../support/eventually.ts';

/**
 * Run in a network namespace of its own: listens on an address that is not there, adds it, and prints the status
 * before and after, one JSON line each.
 */
const [ADDRESS, LATER] = ['10.9.9.9', 'fd00:9::9'];
const responder = {
  respond: async (packet: Buffer) => packet,
  counters: { queries: {}, rejected: 0, dropped: 0, limited: 0 },
};
const listen = [
  { ip: '127.0.0.1', port: 5353 },
  { ip: ADDRESS, port: 5353 },
  { ip: LATER, port: 5353 },
];
const ip = (...args: string[]) => execFileSync('ip', args);
const states = () =>
  server.status().listeners.map(({ address, state, why }) => ({ ip: address.ip, state, why }));

ip('link', 'set', 'lo', 'up');
const server = new DnsServer({ responder, log: silentLogger }, { listen });
await server.start();
console.log(JSON.stringify(states()));
await sleep(300);
ip('address', 'add', `${ADDRESS}/32`, 'dev', 'lo');
ip('address', 'add', `${LATER}/128`, 'dev', 'lo', 'nodad');
await eventually(() => {
  if (states().some(({ state }) => state !== 'listening')) throw new Error(JSON.stringify(states()));
});
console.log(JSON.stringify(states()));
await server.stop();
// This process ends by itself once the server has stopped.
