// Asks a resolver so many questions a second: names under a domain, new ones or one name, with an OPT record of its own.
const { createSocket } = require('node:dgram');
const { randomBytes } = require('node:crypto');
const [server, domain, rate, kind] = process.argv.slice(2);
const EVERY_MS = 20;
const socket = createSocket('udp4');
socket.on('error', () => {});
function opt(size, options) {
  const record = Buffer.alloc(11);
  record.writeUInt16BE(41, 1);
  record.writeUInt16BE(size, 3);
  record.writeUInt16BE(options.length, 9);
  return Buffer.concat([record, options]);
}
/** A loop mark of its own making: option 65313, eight bytes. */
function mark() {
  const header = Buffer.from([0xff, 0x21, 0, 8]);
  return Buffer.concat([header, randomBytes(8)]);
}
function question(name, record) {
  const labels = name
    .split('.')
    .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.alloc(12);
  header.writeUInt16BE(Math.floor(Math.random() * 65_536), 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(1, 10);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1]), record]);
}
let asked = 0;
let due = 0;
setInterval(() => {
  due += (Number(rate) * EVERY_MS) / 1000;
  for (; due >= 1; due--) {
    const name = kind === 'new-names' ? `n${asked++}.${domain}` : domain;
    const record = kind === 'marks' ? opt(1232, mark()) : opt(512, Buffer.alloc(0));
    socket.send(question(name, record), 53, server);
  }
}, EVERY_MS);
