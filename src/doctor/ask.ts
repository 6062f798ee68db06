/**
 * `node ask.js ADDRESS`: sends one DNS query by UDP to port 53 of an address. Its exit status is 0 if anything answers.
 * doctor runs it inside a container's network.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

const TIMEOUT_MS = 2_000;
/** RFC 1035 §4.1: one question for the SOA of `consul`. Any answer counts. */
const QUESTION = Buffer.from('48640100000100000000000006636f6e73756c0000060001', 'hex');

const [address = ''] = process.argv.slice(2);
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
const end = (status: number) => process.exit(status);
socket.once('message', () => end(0)).once('error', () => end(1));
setTimeout(() => end(1), TIMEOUT_MS);
socket.send(QUESTION, 53, address);
