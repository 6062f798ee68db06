import dnsPacket, { type Answer } from 'dns-packet';
import { HeddleError } from '../../errors.ts';
import { type Reply, type ResourceRecord, rcodeName } from '../zone.ts';
import { FLAGS } from './message.ts';
import { isName } from './name.ts';

/**
 * Another server's message as a reply of ours, to be changed and encoded anew; its OPT record is left out. Undefined
 * if the message cannot be decoded, or holds a record of a type that we do not encode.
 */
export function decodedReply(message: Buffer): Reply | undefined {
  const flags = message.readUInt16BE(2);
  const rcode = rcodeName(flags & FLAGS.rcode);
  if (rcode === undefined) return undefined;
  try {
    const { answers = [], authorities = [], additionals = [] } = dnsPacket.decode(message);
    return {
      rcode,
      authoritative: (flags & FLAGS.authoritative) !== 0,
      answers: answers.map(recordOf),
      authorities: authorities.map(recordOf),
      additionals: additionals.map(recordOf),
    };
  } catch {
    return undefined;
  }
}

/** The reply with another owner for the records of one name, which is in lower case. */
export function withOwner(reply: Reply, name: string, owner: string): Reply {
  const renamed = (records: readonly ResourceRecord[]) =>
    records.map((record) => (record.name.toLowerCase() === name ? { ...record, name: owner } : record));
  return { ...reply, answers: renamed(reply.answers), additionals: renamed(reply.additionals) };
}

/** @throws HeddleError `not-supported` for a record that we cannot encode */
function recordOf(record: Answer): ResourceRecord {
  if (!('ttl' in record)) throw new HeddleError('not-supported', `a record of type ${record.type}`);
  const { ttl = 0, type } = record;
  const name = checkedName(record.name);
  switch (type) {
    case 'A':
    case 'AAAA':
      return { name, ttl, type, data: record.data };
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { name, ttl, type, data: checkedName(record.data) };
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = record.data;
      return { name, ttl, type, data: { priority, weight, port, target: checkedName(target) } };
    }
    case 'SOA': {
      const { mname, rname, serial = 0, refresh = 0, retry = 0, expire = 0, minimum = 0 } = record.data;
      const numbers = { serial, refresh, retry, expire, minimum };
      return { name, ttl, type, data: { mname: checkedName(mname), rname: checkedName(rname), ...numbers } };
    }
    case 'TXT':
      return { name, ttl, type, data: [record.data].flat().map(textOf) };
    default:
      throw new HeddleError('not-supported', `a record of type ${type}`);
  }
}

/** dns-packet makes text of any bytes; some of that text cannot be encoded to the same bytes again. */
function checkedName(name: string): string {
  if (isName(name)) return name;
  throw new HeddleError('not-supported', `\`${name}\` cannot be encoded as a name`);
}

function textOf(bytes: string | Buffer): string {
  const text = String(bytes);
  if (Buffer.from(text).equals(Buffer.from(bytes))) return text;
  throw new HeddleError('not-supported', 'a text that is not UTF-8');
}
