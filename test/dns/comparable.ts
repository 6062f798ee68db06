import dnsPacket from 'dns-packet';
import { flagsOf, rcodeOf, textOf } from './read.ts';

/**
 * The content of a reply, without the details that may differ: the order of records, node metadata beside SRV records,
 * repetitions beside the answer, and which of several services at one address has its reverse name.
 */
export function comparable(reply: Buffer) {
  const decoded = dnsPacket.decode(reply);
  const asked = decoded.questions?.[0]?.name ?? '';
  const section = (records: readonly dnsPacket.Answer[] = []) =>
    records
      .filter(({ type, name }) => type !== 'OPT' && (type !== 'TXT' || name === asked))
      .map((record) => textOf(record).replace(/serial=\d+/, 'serial=now'))
      .map((text) => text.replace(/ PTR \S+\.service\./, ' PTR some.service.'))
      .sort();
  // Consul fails for an address that it does not know; later versions do not.
  const unknown = asked.endsWith('.arpa') && decoded.answers?.length === 0;
  return {
    rcode: unknown ? 'UNKNOWN' : rcodeOf(decoded),
    // We offer recursion, and are no authority for what we asked from Consul.
    flags: flagsOf(decoded).filter((flag) => flag !== 'ra' && (flag !== 'aa' || !isConsuls(asked))),
    question: decoded.questions,
    answers: section(decoded.answers),
    authorities: unknown ? [] : section(decoded.authorities),
    additionals: [...new Set(section(decoded.additionals))],
  };
}

/** Names that heddle asks from Consul's own DNS. */
export const isConsuls = (name: string) => /\.dc9\.|\.(query|connect)\.|\.arpa$/i.test(name);
