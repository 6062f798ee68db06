import { EventEmitter } from 'node:events';
import { shortId } from '../../docker/snapshot.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import type { Logger } from '../../runtime/log.ts';
import { defineInSteps } from '../../services/define.ts';
import type { DefineOptions, Definition, Definitions } from '../../services/definition.ts';
import { mayHaveFailed } from '../../services/exit.ts';
import { derivedStatuses } from '../../services/health.ts';
import { AppNames } from '../../services/naming/app-names.ts';
import { type CheckStatus, OWNER_META, type Service } from '../../services/service.ts';
import { wouldRegister } from '../../services/would-register.ts';
import { ServiceIds } from './service-ids.ts';
import { ServiceIndex } from './service-index.ts';
import { SteppedWork } from './stepped-work.ts';

interface DesiredEvents {
  /** Ids whose service appeared, changed or went. */
  changed: [ids: readonly string[]];
  /** Ids whose checks have other statuses, and nothing else. */
  told: [ids: readonly string[]];
}

export interface DesiredOptions extends DefineOptions {
  /** Keep the services of containers that ended with an error (`--deregister on-success`); default false. */
  readonly keepFailed?: boolean;
}

/** Containers of some sixty services are defined at once, larger ones in turns with everything else. */
const STEPS_AT_ONCE = 5;

interface Container {
  readonly name: string;
  /** By the id that each has where SERVICE_ID is taken. */
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly problems: readonly string[];
}

/**
 * What the registry should hold of this host: the definitions of all containers, by id, name and address. A change
 * of one container costs its own services, not everybody's.
 */
export class Desired extends EventEmitter<DesiredEvents> {
  readonly #log: Logger;
  readonly #options: DesiredOptions;
  readonly #containers = new Map<string, Container>();
  readonly #ids = new ServiceIds();
  /** The service as it is to be registered, by the definition's own id. */
  readonly #current = new Map<string, Service>();
  /** The last known statuses of checks that heddle runs or tells, by check id; none outlives its check. */
  readonly #statuses = new Map<string, CheckStatus>();
  readonly #index = new ServiceIndex();
  readonly #apps = new AppNames();
  /** The services of containers, by container. */
  readonly #defining = new SteppedWork<Definitions>({ atOnce: STEPS_AT_ONCE });
  /** Problems that the log has, by container: each is said once. */
  readonly #said = new Map<string, ReadonlySet<string>>();

  constructor(needs: { readonly log: Logger }, options: DesiredOptions) {
    super();
    this.#log = needs.log;
    this.#options = options;
  }

  get size(): number {
    return this.#index.size;
  }

  get(id: string): Service | undefined {
    return this.#index.get(id);
  }

  services(): Iterable<Service> {
    return this.#index.values();
  }

  /** Names are matched without regard to case. */
  byName(name: string): readonly Service[] {
    return this.#index.byName(name);
  }

  /** By any of its addresses as text, in the kernel's own form for IPv6. */
  byAddress(address: string): readonly Service[] {
    return this.#index.byAddress(address);
  }

  /** What one container is registered as. */
  ofContainer(container: string): readonly Service[] {
    const ids = this.#containers.get(container)?.definitions.keys() ?? [];
    return [...ids].flatMap((ownId) => this.#current.get(ownId) ?? []);
  }

  /** What a container would be registered as, were it not kept from being announced. */
  withheld(entry: RosterEntry): readonly Service[] {
    return wouldRegister(entry, this.ofContainer(entry.snapshot.id), this.#options);
  }

  /** What was left out of a container's metadata, and why; one sentence each. */
  problems(container: string): readonly string[] {
    const known = this.#containers.get(container);
    if (known === undefined) return [];
    const taken = [...known.definitions].flatMap(([ownId, { requestedId }]) =>
      this.#taken(ownId, requestedId),
    );
    return [...known.problems, ...taken, ...this.#apps.problems(container)];
  }

  set(entry: RosterEntry): void {
    const { snapshot } = entry;
    if (this.#options.keepFailed === true && mayHaveFailed(snapshot)) {
      for (const service of this.ofContainer(snapshot.id)) {
        for (const [check, status] of derivedStatuses(service, snapshot))
          this.tell(service.id, check, status);
      }
      return;
    }
    const steps = defineInSteps(entry, this.#options);
    this.#defining.start(snapshot.id, steps, (definitions) => this.#defined(entry, definitions));
  }

  /** Resolves when all containers that were set are what they are to be: large ones take some turns. */
  settled(): Promise<void> {
    return this.#defining.idle();
  }

  #defined({ snapshot }: RosterEntry, { definitions, problems }: Definitions): void {
    const byOwnId = new Map(definitions.map((definition) => [definition.service.id, definition]));
    for (const { service } of definitions) {
      for (const [check, status] of derivedStatuses(service, snapshot)) this.#statuses.set(check, status);
    }
    this.#replace(snapshot.id, { name: snapshot.name, definitions: byOwnId, problems });
    this.#apps.set(
      snapshot,
      definitions.map(({ service }) => service),
    );
    this.#say(snapshot.id, snapshot.name);
  }

  /** Takes the result of a check; one of a check that is no longer desired is left out. */
  tell(service: string, check: string, status: CheckStatus): void {
    const known = this.#index.get(service);
    if (this.#statuses.get(check) === status || !known?.checks.some(({ id }) => id === check)) return;
    this.#statuses.set(check, status);
    const ownId = ownIdOf(check);
    this.#remove(ownId, known);
    this.#add(ownId, known);
    this.emit('told', [service]);
  }

  /** All SERVICE_IDs that containers here want. */
  wantedIds(): Iterable<string> {
    return this.#ids.wanted();
  }

  /** Takes whether the registry has a SERVICE_ID of somebody else: who wants it here has its own id meanwhile. */
  setForeign(wantedId: string, foreign: boolean): void {
    const concerned = this.#ids.setForeign(wantedId, foreign);
    if (concerned === undefined) return;
    const { container, ownId } = concerned;
    const known = this.#containers.get(container);
    this.#apply(new Map([[ownId, known?.definitions.get(ownId)]]));
    this.#say(container, known?.name ?? shortId(container));
  }

  delete(container: string): void {
    this.#defining.cancel(container);
    this.#replace(container, undefined);
    this.#apps.delete(container);
    this.#said.delete(container);
  }

  #replace(container: string, next: Container | undefined): void {
    const before = this.#containers.get(container)?.definitions ?? new Map<string, Definition>();
    const after = next?.definitions ?? new Map<string, Definition>();
    if (next === undefined) this.#containers.delete(container);
    else this.#containers.set(container, next);

    const affected = new Map([...before, ...after].map(([ownId]) => [ownId, after.get(ownId)]));
    for (const [ownId, { requestedId }] of before) {
      if (requestedId !== undefined && after.get(ownId)?.requestedId !== requestedId) {
        const heir = this.#ids.release(requestedId, ownId);
        const inherited = heir && this.#containers.get(heir.container)?.definitions.get(heir.ownId);
        if (heir !== undefined && inherited !== undefined) affected.set(heir.ownId, inherited);
      }
    }
    for (const [ownId, { requestedId }] of after) {
      if (requestedId !== undefined && before.get(ownId)?.requestedId !== requestedId) {
        this.#ids.claim(requestedId, { container, ownId });
      }
    }
    this.#apply(affected);
  }

  /** Brings the tables to what the definitions now say, and tells which ids that touched. */
  #apply(affected: ReadonlyMap<string, Definition | undefined>): void {
    const touched = new Map<string, Service | undefined>();
    for (const [ownId, definition] of affected) {
      const service = this.#current.get(ownId);
      if (service === undefined) continue;
      touched.set(service.id, service);
      this.#remove(ownId, service);
      const kept = new Set(definition?.service.checks.map(({ id }) => id));
      for (const { id } of service.checks) if (!kept.has(id)) this.#statuses.delete(id);
    }
    for (const [ownId, definition] of affected) {
      if (definition === undefined) continue;
      const { service, requestedId } = definition;
      const id =
        requestedId !== undefined && this.#ids.holder(requestedId)?.ownId === ownId ? requestedId : ownId;
      if (!touched.has(id)) touched.set(id, undefined);
      this.#add(ownId, { ...service, id });
    }
    const changed: string[] = [];
    const told: string[] = [];
    for (const [id, before] of touched) {
      const now = this.#index.get(id);
      if (before?.meta[OWNER_META.hash] !== now?.meta[OWNER_META.hash]) changed.push(id);
      else if (now !== undefined && !sameStatuses(before, now)) told.push(id);
    }
    if (changed.length > 0) this.emit('changed', changed);
    if (told.length > 0) this.emit('told', told);
  }

  #add(ownId: string, plain: Service): void {
    const service = this.#withStatuses(plain);
    this.#current.set(ownId, service);
    this.#index.add(service);
  }

  #withStatuses(service: Service): Service {
    if (service.checks.length === 0) return service;
    const checks = service.checks.map((check) => {
      const status = this.#statuses.get(check.id) ?? check.status;
      return status === undefined ? check : { ...check, status };
    });
    return { ...service, checks };
  }

  #remove(ownId: string, service: Service): void {
    this.#current.delete(ownId);
    this.#index.remove(service);
  }

  #taken(ownId: string, wantedId: string | undefined): string[] {
    if (wantedId === undefined) return [];
    if (this.#ids.isForeign(wantedId)) {
      const whose = "is somebody else's in the registry, perhaps what a registrator left";
      return [`SERVICE_ID ${wantedId} ${whose}; this one is registered as ${ownId} until that is removed`];
    }
    const holder = this.#ids.holder(wantedId);
    if (holder === undefined || holder.ownId === ownId) return [];
    const name = this.#containers.get(holder.container)?.name ?? shortId(holder.container);
    return [
      `SERVICE_ID ${wantedId} is already used by container ${name}; this one is registered as ${ownId}`,
    ];
  }

  #say(container: string, name: string): void {
    const problems = this.problems(container);
    const said = this.#said.get(container);
    for (const problem of problems) {
      if (said?.has(problem)) continue;
      this.#log.warn({ container: shortId(container), name }, problem);
    }
    this.#said.set(container, new Set(problems));
  }
}

/** The id of a check begins with its service's own. */
function ownIdOf(check: string): string {
  return check.slice(0, check.lastIndexOf('~'));
}

function sameStatuses(before: Service | undefined, now: Service): boolean {
  return now.checks.every(({ status }, at) => before?.checks[at]?.status === status);
}
