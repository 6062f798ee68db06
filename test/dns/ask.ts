import dnsPacket from 'dns-packet';

/** A query as bytes, made by dns-packet: an encoder that is not ours. */
export function queryBytes(
  name: string,
  type: string,
  options: {
    readonly id?: number;
    readonly class?: string;
    readonly rd?: boolean;
    readonly cd?: boolean;
    readonly edns?: {
      readonly size: number;
      readonly version?: number;
      readonly do?: boolean;
      readonly options?: unknown[];
    };
  } = {},
): Buffer {
  const { id = 4711, rd = true, cd = false, edns } = options;
  const flags = (rd ? dnsPacket.RECURSION_DESIRED : 0) | (cd ? dnsPacket.CHECKING_DISABLED : 0);
  const opt = edns && {
    type: 'OPT',
    name: '.',
    udpPayloadSize: edns.size,
    ednsVersion: edns.version ?? 0,
    flags: edns.do ? dnsPacket.DNSSEC_OK : 0,
    options: edns.options ?? [],
  };
  return dnsPacket.encode({
    type: 'query',
    id,
    flags,
    questions: [{ name, type, class: options.class ?? 'IN' }],
    additionals: opt ? [opt] : [],
  } as dnsPacket.Packet);
}
