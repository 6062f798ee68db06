import { createHash } from 'node:crypto';

/** RFC 1035 §2.3.4. */
export const MAX_LABEL = 63;
export const MAX_NAME = 253;

/**
 * Any text as one DNS label (RFC 1123 §2.1): lower case, other characters become hyphens, hyphens at the ends are
 * removed. A text over 63 characters keeps 54 and gets eight of a hash, so that long names stay distinct. Empty if
 * nothing remains.
 */
export function dnsLabel(text: string): string {
  const label = trimHyphens(text.toLowerCase().replace(/[^a-z0-9-]/g, '-'));
  if (label.length <= MAX_LABEL) return label;
  const hash = createHash('sha256').update(label).digest('hex').slice(0, 8);
  return `${label.slice(0, MAX_LABEL - hash.length - 1)}-${hash}`;
}

/** The service name from an image: the last part of its path, without tag and digest. Empty for a bare image id. */
export function imageName(image: string): string {
  const path = image.split('@')[0] ?? '';
  const last = path.slice(path.lastIndexOf('/') + 1);
  if (last.startsWith('sha256:') || /^[0-9a-f]{64}$/.test(last)) return '';
  return dnsLabel(last.split(':')[0] ?? '');
}

// A loop, because /-+$/ takes quadratic time on a megabyte of hyphens.
function trimHyphens(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === '-') start++;
  while (end > start && text[end - 1] === '-') end--;
  return text.slice(start, end);
}
