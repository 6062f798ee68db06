import type { AddressReader } from '../addresses/address-reader.ts';
import type { AnnouncedHost } from '../addresses/announced-host.ts';
import { chooseAddress } from '../addresses/choose-address.ts';
import type { PolicyTerm } from '../addresses/policy.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { hasCode, messageOf } from '../errors.ts';
import type { Addressing, Wanted } from '../ipam/addressing.ts';
import type { Claims } from '../ipam/claims.ts';
import { requestedAddresses } from '../ipam/requested.ts';
import type { Address } from '../network/address.ts';
import { type FoundNamespace, hostNetworkError } from '../network/container-namespace.ts';
import type { Cidr } from '../network/engine.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Attachment } from './attachment.ts';
import type { BridgeAddresses } from './bridge-addresses.ts';
import type { Granted } from './granted.ts';
import type { HostsFiles } from './hosts-files.ts';
import { type StaleSharers, staleSharerProblem } from './stale-sharers.ts';

export interface ObserverNeeds {
  /** Finds and verifies the namespace. @throws HeddleError `not-running` when it is gone */
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  readonly reader: Pick<AddressReader, 'read'>;
  readonly granted: Pick<Granted, 'counted'>;
  readonly claims: Pick<Claims, 'optionsOf'>;
  readonly addressing: Pick<Addressing, 'wanted' | 'expected' | 'adopt'>;
  readonly attachment: Pick<Attachment, 'connect' | 'finishRelease'>;
  readonly hostsFiles: Pick<HostsFiles, 'keep'>;
  readonly staleSharers: Pick<StaleSharers, 'leftBy' | 'clear'>;
  readonly bridges: Pick<BridgeAddresses, 'subnets'>;
  readonly announcedHost: Pick<AnnouncedHost, 'of'>;
}

export interface ObserverOptions {
  readonly policy: readonly PolicyTerm[];
  /** Whether this process attaches containers; one that does not only reports what it finds. */
  readonly attaches: boolean;
}

/** What an inspection has found so far; what stands here counts, even if the next step fails. */
interface Findings {
  namespace: FoundNamespace;
  addresses: readonly Address[];
  ignored: readonly Address[];
  wanted: Wanted;
  problem: string | undefined;
  /** The container ended during the inspection. */
  hasEnded: boolean;
}

/**
 * Inspects one container: gives it the addresses it requested, reads those it has, and chooses the one it is announced
 * at. Never throws for what is wrong with a container; the entry reports it.
 */
export class Observer {
  readonly #needs: ObserverNeeds;
  readonly #options: ObserverOptions;
  /** Whether this process can see the processes of containers at all. */
  #seesProcesses = false;

  constructor(needs: ObserverNeeds, options: ObserverOptions) {
    this.#needs = needs;
    this.#options = options;
  }

  async observe(snapshot: Snapshot): Promise<RosterEntry> {
    const findings: Findings = {
      namespace: { path: undefined, inode: undefined },
      addresses: [],
      ignored: [],
      wanted: { cidrs: [], problem: undefined, refused: false },
      problem: undefined,
      hasEnded: false,
    };
    try {
      if (snapshot.pid > 0) await this.#inspect(snapshot, findings);
    } catch (error) {
      // A container that ends during its inspection is reported by its own event. Until then it is announced at no
      // other address.
      const isGone = hasCode(error, 'not-running');
      if (isGone) findings.hasEnded = this.#seesProcesses;
      else findings.problem = messageOf(error);
    }
    return await this.#announce(snapshot, findings);
  }

  async #inspect(snapshot: Snapshot, findings: Findings): Promise<void> {
    const { namespaceOf, attachment, staleSharers } = this.#needs;
    findings.namespace = await namespaceOf(snapshot);
    this.#seesProcesses = true;
    const { path, inode } = findings.namespace;
    if (path !== undefined) await attachment.finishRelease({ nsPath: path, container: snapshot.id });
    const owner = await staleSharers.leftBy(snapshot, inode);
    if (path === undefined) {
      if (requestedAddresses(snapshot).requests.length > 0) findings.problem = hostNetworkError().message;
    } else if (owner === undefined) {
      await this.#attachRequested(snapshot, path, findings);
    } else {
      findings.problem = staleSharerProblem(owner);
      if (this.#options.attaches) await staleSharers.clear(snapshot, path, owner);
      await this.#count(snapshot, findings, await this.#needs.reader.read(path, snapshot.id));
    }
  }

  /** Attaches the container where an address is missing, and brings claims and hosts file up to date. */
  async #attachRequested(snapshot: Snapshot, path: string, findings: Findings): Promise<void> {
    const { reader, claims, addressing, attachment, hostsFiles } = this.#needs;
    const { attaches } = this.#options;
    const reading = reader.read(path, snapshot.id);
    // What the container requested is known even where its addresses cannot be read.
    const present = await reading.catch(() => undefined);
    findings.wanted = attaches
      ? await addressing.wanted(snapshot, { ...findings.namespace, addresses: present })
      : addressing.expected(snapshot);
    findings.problem = findings.wanted.problem;
    await this.#count(snapshot, findings, await reading);
    const { cidrs } = findings.wanted;
    // A kill can leave the multicast route of a container that has its addresses: it is removed at each inspection.
    const isWithoutRoute = claims.optionsOf(snapshot.id).multicastRoute === false;
    if (attaches && (isWithoutRoute || missing(cidrs, findings.addresses).length > 0)) {
      await attachment.connect(path, snapshot, cidrs);
      await this.#count(snapshot, findings, await reader.read(path, snapshot.id));
    }
    await addressing.adopt(snapshot, findings.addresses);
    if (attaches) await hostsFiles.keep(snapshot, findings.addresses);
  }

  async #count(snapshot: Snapshot, findings: Findings, addresses: readonly Address[]): Promise<void> {
    const counted = await this.#needs.granted.counted(snapshot, findings.namespace, addresses);
    findings.addresses = counted.addresses;
    findings.ignored = counted.ignored;
  }

  async #announce(snapshot: Snapshot, findings: Findings): Promise<RosterEntry> {
    const { bridges, announcedHost } = this.#needs;
    const { namespace, addresses, ignored, wanted, problem, hasEnded } = findings;
    const choice = await chooseAddress(this.#options.policy, {
      snapshot,
      addresses,
      bridgeSubnets: () => bridges.subnets(),
      hostAddress: () => announcedHost.of(snapshot),
      hostNetwork: snapshot.networkMode === 'host',
    });
    return {
      snapshot,
      namespace: namespace.inode,
      addresses,
      ...(ignored.length > 0 && { ignored }),
      choice,
      awaitingAddress: hasEnded || wanted.refused || missing(wanted.cidrs, addresses).length > 0,
      problem,
    };
  }
}

const missing = (wanted: readonly Cidr[], present: readonly Address[]): readonly Cidr[] =>
  wanted.filter((cidr) => !present.some((address) => address.ip === cidr.ip));
