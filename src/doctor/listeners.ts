import { formatListen } from '../dns/listen.ts';
import type { ListenerStatus } from '../dns/server/listener.ts';
import { type Finding, ok } from './finding.ts';

/** Whether DNS is answered at every configured address. No finding without a daemon. */
export function findListeners(listeners: readonly ListenerStatus[] | undefined): readonly Finding[] {
  if (listeners === undefined) return [];
  const subject = 'dns';
  const whyOf = (wanted: ListenerStatus['state']) =>
    listeners.flatMap(({ state, why }) => (state === wanted ? [why ?? ''] : [])).join('; ');
  const [failed, waiting] = [whyOf('failed'), whyOf('waiting')];
  if (failed !== '') {
    const advice =
      'stop the other program, or exclude this address there (dnsmasq: bind-dynamic, except-interface=docker0 and weave)';
    return [{ subject, state: 'failed', detail: failed, advice }];
  }
  if (waiting !== '') {
    const advice = 'bring the interface up, or correct --dns-listen';
    return [{ subject, state: 'warning', detail: waiting, advice }];
  }
  const places = listeners.map(({ address }) => formatListen(address));
  return [
    ok(subject, places.length > 0 ? `answered on ${places.join(', ')}` : 'answered nowhere (--no-dns)'),
  ];
}
