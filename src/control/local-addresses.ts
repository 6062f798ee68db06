import { EXPOSED } from '../containers/claims.ts';
import { HeddleError } from '../errors.ts';
import { type AddressRequest, ANY_ADDRESS, formatRequest } from '../ipam/request.ts';
import type { Cidr } from '../network/engine.ts';
import type { Parts } from '../parts.ts';
import { refuseDockersBridge } from './docker-bridge.ts';
import type { AddressWords } from './host.ts';

/** What only a daemon remembers. */
export const withoutDaemon = (what: string): HeddleError =>
  new HeddleError(
    'not-running',
    `${what} is kept by the daemon; leave --local out, or start one with heddle daemon`,
  );

export interface LocalAddressesNeeds {
  readonly parts: Parts;
  /** Looks at every container, so that it is known who has which address. */
  lookAtAll(): Promise<unknown>;
}

/** The words that give and take addresses, without a daemon: what is given is there, and remembered by nobody. */
export class LocalAddresses implements AddressWords {
  readonly #needs: LocalAddressesNeeds;

  constructor(needs: LocalAddressesNeeds) {
    this.#needs = needs;
  }

  async attach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, lookAtAll } = this.#needs;
    await lookAtAll();
    const words = requests.map(formatRequest).join(' ');
    const { cidrs } = await parts.attachment.attach(container, words, ({ snapshot, namespace }) =>
      parts.addressing.claim(snapshot.id, requests, namespace),
    );
    return cidrs;
  }

  async detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { parts, lookAtAll } = this.#needs;
    await lookAtAll();
    const words = requests.map(formatRequest).join(' ');
    const { cidrs } = await parts.attachment.detach(container, words, ({ snapshot }) =>
      parts.addressing.meant(snapshot.id, requests),
    );
    return cidrs;
  }

  async start(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { docker } = this.#needs.parts;
    const snapshot = await docker.find(container);
    await this.check(requests);
    await docker.start(snapshot);
    return this.attach(snapshot.id, requests.length > 0 ? requests : [ANY_ADDRESS]);
  }

  async restart(container: string): Promise<readonly Cidr[]> {
    const { parts, lookAtAll } = this.#needs;
    const snapshot = await parts.docker.find(container);
    await lookAtAll();
    const before = parts.addressing.addressesOf(snapshot.id);
    await parts.docker.restart(snapshot);
    await parts.attachment.attach(snapshot.id, 'its addresses', async () => before);
    return before;
  }

  async expose(requests: readonly AddressRequest[], name?: string): Promise<readonly Cidr[]> {
    const { parts, lookAtAll } = this.#needs;
    if (name !== undefined) throw withoutDaemon('the name of what is exposed');
    await lookAtAll();
    const cidrs = await parts.addressing.claim(EXPOSED, requests);
    await parts.network.expose(cidrs);
    return cidrs;
  }

  async hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]> {
    const { addressing, network } = this.#needs.parts;
    const cidrs = await addressing.meant(EXPOSED, requests);
    await network.hide(cidrs);
    return cidrs;
  }

  async check(requests: readonly AddressRequest[]): Promise<void> {
    const { parts, lookAtAll } = this.#needs;
    await lookAtAll();
    await parts.addressing.check(requests);
  }

  async reset({ force }: { readonly force: boolean }): Promise<void> {
    const { parts } = this.#needs;
    if (!force) await refuseDockersBridge(parts);
    await parts.network.removeBridge();
  }
}
