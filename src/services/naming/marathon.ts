import { dnsLabel, MAX_NAME } from './dns-label.ts';

/** The service name and tags from a Marathon app id, or why the id gives none. */
export type MarathonName =
  | { readonly name: string; readonly tags: readonly string[] }
  | { readonly problem: string };

/**
 * Reads a Marathon app id as a host name with the groups reversed, like Marathon's own task names. The last label is
 * the service and the rest is *one* dotted tag, because Consul reads everything left of the service as one tag:
 * `/web/customer1/site1` is service `web`, tag `site1.customer1`. The same tag with hyphens is added for resolvers
 * that reject dotted tags. Undefined for `/` and the empty id.
 */
export function marathonName(appId: string): MarathonName | undefined {
  const segments = appId.split('/').filter((segment) => segment !== '');
  if (segments.length === 0) return undefined;
  const labels = segments.reverse().join('.').split('.').map(dnsLabel);
  if (labels.includes('')) {
    const expected = 'every part between slashes and dots must have a letter or digit';
    return { problem: `MARATHON_APP_ID ${JSON.stringify(appId.slice(0, 100))}: ${expected}` };
  }
  const name = labels.pop() as string;
  if (name === 'consul') {
    return { problem: 'MARATHON_APP_ID: the name `consul` belongs to the Consul servers; rename the app' };
  }
  return { name, tags: hierarchyTags(labels, name) };
}

function hierarchyTags(labels: readonly string[], name: string): string[] {
  if (labels.length < 2) return [...labels];
  const dotted = labels.join('.');
  const dashed = dnsLabel(labels.join('-'));
  // A name over the limit of RFC 1035 §2.3.4 can be registered but never queried.
  const tooLong = `${dotted}.${name}.service.consul`.length > MAX_NAME;
  return tooLong ? [dashed] : [dotted, dashed];
}
