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
  /** Ids whose service appeared, changed or disappeared. */
  changed: [ids: readonly string[]];
  /** Ids for which only statuses of checks changed. */
  statusChanged: [ids: readonly string[]];
}

export interface DesiredOptions extends DefineOptions {
  /** Keeps the services of containers that exited with an error (`--deregister on-success`); default false. */
  readonly keepFailed?: boolean;
}

/** Containers with up to about sixty services are defined at once, larger ones in steps between other work. */
const STEPS_AT_ONCE = 5;

interface DefinedContainer {
  readonly name: string;
  /** By generated id, under which a service is registered unless it gets a SERVICE_ID. */
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly problems: readonly string[];
}

/**
 * What the registry should hold for this host: the services of all containers, by id, name and address. A change of
 * one container costs work only for the services of that container.
 */
export class Desired extends EventEmitter<DesiredEvents> {
  readonly #log: Logger;
  readonly #options: DesiredOptions;
  readonly #containers = new Map<string, DefinedContainer>();
  readonly #ids = new ServiceIds();
  /** Each service as it should be registered, by generated id. */
  readonly #current = new Map<string, Service>();
  /** The last known statuses of reported checks, by check id; an entry is removed with its check. */
  readonly #statuses = new Map<string, CheckStatus>();
  readonly #index = new ServiceIndex();
  readonly #apps = new AppNames();
  /** Definitions that are being made, by container. */
  readonly #defining = new SteppedWork<Definitions>({ atOnce: STEPS_AT_ONCE });
  /** Problems already logged, by container: each is logged once. */
  readonly #logged = new Map<string, ReadonlySet<string>>();

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

  /** By any address of the service as text; IPv6 in the kernel's notation. */
  byAddress(address: string): readonly Service[] {
    return this.#index.byAddress(address);
  }

  /** The services of one container. */
  ofContainer(container: string): readonly Service[] {
    const ids = this.#containers.get(container)?.definitions.keys() ?? [];
    return [...ids].flatMap((generatedId) => this.#current.get(generatedId) ?? []);
  }

  /** The services that a container would have if its settings did not prevent the registration. */
  wouldRegister(entry: RosterEntry): readonly Service[] {
    return wouldRegister(entry, this.ofContainer(entry.snapshot.id), this.#options);
  }

  /** The problems of a container's metadata: one sentence each, with what was ignored and why. */
  problems(container: string): readonly string[] {
    const known = this.#containers.get(container);
    if (known === undefined) return [];
    const conflicts = [...known.definitions].flatMap(([generatedId, { requestedId }]) =>
      this.#idConflicts(generatedId, requestedId),
    );
    return [...known.problems, ...conflicts, ...this.#apps.problems(container)];
  }

  set(entry: RosterEntry): void {
    const { snapshot } = entry;
    if (this.#options.keepFailed === true && mayHaveFailed(snapshot)) {
      for (const service of this.ofContainer(snapshot.id)) {
        for (const [check, status] of derivedStatuses(service, snapshot))
          this.setStatus(service.id, check, status);
      }
      return;
    }
    const steps = defineInSteps(entry, this.#options);
    this.#defining.start(snapshot.id, steps, (definitions) => this.#defined(entry, definitions));
  }

  /** Resolves when the services of all containers are defined; large containers take some turns of the event loop. */
  whenDefined(): Promise<void> {
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
    this.#logNewProblems(snapshot.id, snapshot.name);
  }

  /** Stores the result of a check; ignores one of a check that is no longer desired. */
  setStatus(service: string, check: string, status: CheckStatus): void {
    const known = this.#index.get(service);
    if (this.#statuses.get(check) === status || !known?.checks.some(({ id }) => id === check)) return;
    this.#statuses.set(check, status);
    const generatedId = generatedIdOf(check);
    this.#remove(generatedId, known);
    this.#add(generatedId, known);
    this.emit('statusChanged', [service]);
  }

  /** All SERVICE_IDs that containers on this host request. */
  requestedIds(): Iterable<string> {
    return this.#ids.requested();
  }

  /** Records whether another owner holds this SERVICE_ID. Our service uses its generated id until it is free. */
  setForeign(requestedId: string, foreign: boolean): void {
    const claim = this.#ids.setForeign(requestedId, foreign);
    if (claim === undefined) return;
    const { container, generatedId } = claim;
    const known = this.#containers.get(container);
    this.#apply(new Map([[generatedId, known?.definitions.get(generatedId)]]));
    this.#logNewProblems(container, known?.name ?? shortId(container));
  }

  delete(container: string): void {
    this.#defining.cancel(container);
    this.#replace(container, undefined);
    this.#apps.delete(container);
    this.#logged.delete(container);
  }

  #replace(container: string, next: DefinedContainer | undefined): void {
    const before = this.#containers.get(container)?.definitions ?? new Map<string, Definition>();
    const after = next?.definitions ?? new Map<string, Definition>();
    if (next === undefined) this.#containers.delete(container);
    else this.#containers.set(container, next);

    const affected = new Map(
      [...before, ...after].map(([generatedId]) => [generatedId, after.get(generatedId)]),
    );
    for (const [generatedId, { requestedId }] of before) {
      if (requestedId !== undefined && after.get(generatedId)?.requestedId !== requestedId) {
        const next = this.#ids.release(requestedId, generatedId);
        const definition = next && this.#containers.get(next.container)?.definitions.get(next.generatedId);
        if (next !== undefined && definition !== undefined) affected.set(next.generatedId, definition);
      }
    }
    for (const [generatedId, { requestedId }] of after) {
      if (requestedId !== undefined && before.get(generatedId)?.requestedId !== requestedId) {
        this.#ids.claim(requestedId, { container, generatedId });
      }
    }
    this.#apply(affected);
  }

  /** Updates the tables from the definitions and emits the ids that changed. */
  #apply(affected: ReadonlyMap<string, Definition | undefined>): void {
    const touched = new Map<string, Service | undefined>();
    for (const [generatedId, definition] of affected) {
      const service = this.#current.get(generatedId);
      if (service === undefined) continue;
      touched.set(service.id, service);
      this.#remove(generatedId, service);
      const kept = new Set(definition?.service.checks.map(({ id }) => id));
      for (const { id } of service.checks) if (!kept.has(id)) this.#statuses.delete(id);
    }
    for (const [generatedId, definition] of affected) {
      if (definition === undefined) continue;
      const { service, requestedId } = definition;
      const id =
        requestedId !== undefined && this.#ids.holder(requestedId)?.generatedId === generatedId
          ? requestedId
          : generatedId;
      if (!touched.has(id)) touched.set(id, undefined);
      this.#add(generatedId, { ...service, id });
    }
    const changed: string[] = [];
    const statusChanged: string[] = [];
    for (const [id, before] of touched) {
      const now = this.#index.get(id);
      if (before?.meta[OWNER_META.hash] !== now?.meta[OWNER_META.hash]) changed.push(id);
      else if (now !== undefined && !sameStatuses(before, now)) statusChanged.push(id);
    }
    if (changed.length > 0) this.emit('changed', changed);
    if (statusChanged.length > 0) this.emit('statusChanged', statusChanged);
  }

  #add(generatedId: string, plain: Service): void {
    const service = this.#withStatuses(plain);
    this.#current.set(generatedId, service);
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

  #remove(generatedId: string, service: Service): void {
    this.#current.delete(generatedId);
    this.#index.remove(service);
  }

  #idConflicts(generatedId: string, requestedId: string | undefined): string[] {
    if (requestedId === undefined) return [];
    if (this.#ids.isForeign(requestedId)) {
      const conflict = 'is already registered by another owner (possibly registrator)';
      return [`SERVICE_ID ${requestedId} ${conflict}; using ${generatedId} until it is removed`];
    }
    const holder = this.#ids.holder(requestedId);
    if (holder === undefined || holder.generatedId === generatedId) return [];
    const name = this.#containers.get(holder.container)?.name ?? shortId(holder.container);
    return [
      `SERVICE_ID ${requestedId} is already used by container ${name}; using ${generatedId} for this one`,
    ];
  }

  #logNewProblems(container: string, name: string): void {
    const problems = this.problems(container);
    const logged = this.#logged.get(container);
    for (const problem of problems) {
      if (logged?.has(problem)) continue;
      this.#log.warn({ container: shortId(container), name }, problem);
    }
    this.#logged.set(container, new Set(problems));
  }
}

/** The id of a check begins with the generated id of its service. */
function generatedIdOf(check: string): string {
  return check.slice(0, check.lastIndexOf('~'));
}

function sameStatuses(before: Service | undefined, now: Service): boolean {
  return now.checks.every(({ status }, at) => before?.checks[at]?.status === status);
}
