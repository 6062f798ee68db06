import { messageOf, systemCode } from '../../../errors.ts';

/** Certificates that no known authority signed. */
const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
]);

/**
 * Why a TLS connection to Consul failed, and what to do; undefined if TLS is not the cause. OpenSSL's own message
 * contains numbers, file names and a line break.
 */
export function tlsProblem(
  thrown: unknown,
  { hasCertificate }: { readonly hasCertificate: boolean },
): string | undefined {
  const code = systemCode(thrown) ?? '';
  const text = messageOf(thrown);
  if (UNKNOWN_AUTHORITY.has(code)) {
    return "Consul's certificate is not signed by a known authority: set --consul-ca";
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return "Consul's certificate is for another name: set that name with --consul-tls-server-name";
  }
  if (code === 'CERT_HAS_EXPIRED') return "Consul's certificate has expired";
  if (code === 'CERT_NOT_YET_VALID') return "Consul's certificate is not valid yet: is the clock right?";
  if (!isOfOpenSsl(code, text)) return undefined;
  if (/WRONG_VERSION_NUMBER|wrong version number|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/i.test(code + text)) {
    return 'Consul does not use TLS on this port: use consul:// or the HTTPS port';
  }
  if (/certificate[ _]expired/i.test(code + text)) {
    return 'Consul refuses the client certificate: it has expired (--consul-cert)';
  }
  if (/certificate|handshake[ _]failure|unknown[ _]ca|access[ _]denied/i.test(code + text)) {
    if (!hasCertificate) {
      return 'Consul requires a client certificate: set --consul-cert and --consul-key';
    }
    return 'Consul refuses the client certificate: is it signed by an authority known to Consul (--consul-cert)?';
  }
  const [, reason = 'the handshake failed'] = /:SSL routines:[^:]*:([^:\n]+)/.exec(text) ?? [];
  return `TLS: ${reason.trim()}`;
}

function isOfOpenSsl(code: string, text: string): boolean {
  return code === 'EPROTO' || code.startsWith('ERR_SSL_') || text.includes(':SSL routines:');
}
