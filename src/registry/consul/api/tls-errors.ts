import { messageOf, systemCode } from '../../../errors.ts';

/** Certificates that no authority we know has signed. */
const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
]);

/**
 * Why a TLS connection to Consul failed, and what to do; undefined where TLS is not why. OpenSSL's own text has
 * numbers, file names and a line break in it.
 */
export function tlsProblem(
  thrown: unknown,
  { hasCertificate }: { readonly hasCertificate: boolean },
): string | undefined {
  const code = systemCode(thrown) ?? '';
  const text = messageOf(thrown);
  if (UNKNOWN_AUTHORITY.has(code)) {
    return 'no authority that heddle knows has signed the certificate of Consul: give --consul-ca';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'the certificate of Consul is for another name: give that name with --consul-tls-server-name';
  }
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate of Consul has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'the certificate of Consul is not valid yet: is the clock right?';
  if (!isOfOpenSsl(code, text)) return undefined;
  if (/WRONG_VERSION_NUMBER|wrong version number|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/i.test(code + text)) {
    return 'Consul does not speak TLS there: use consul:// or the port for HTTPS';
  }
  if (/certificate[ _]expired/i.test(code + text)) {
    return 'Consul refuses the client certificate: it has expired (--consul-cert)';
  }
  if (/certificate|handshake[ _]failure|unknown[ _]ca|access[ _]denied/i.test(code + text)) {
    if (!hasCertificate) {
      return 'Consul asks for a client certificate: give --consul-cert and --consul-key';
    }
    return 'Consul refuses the client certificate: is it signed by an authority that Consul knows (--consul-cert)?';
  }
  const [, reason = 'the handshake failed'] = /:SSL routines:[^:]*:([^:\n]+)/.exec(text) ?? [];
  return `TLS: ${reason.trim()}`;
}

function isOfOpenSsl(code: string, text: string): boolean {
  return code === 'EPROTO' || code.startsWith('ERR_SSL_') || text.includes(':SSL routines:');
}
