import { addressesOf, type Service } from '../../services/service.ts';

/** Services by id, name and address; a lookup takes constant time. */
export class ServiceIndex {
  readonly #byId = new Map<string, Service>();
  readonly #byName = new Map<string, Map<string, Service>>();
  readonly #byAddress = new Map<string, Map<string, Service>>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Service | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<Service> {
    return this.#byId.values();
  }

  /** Names are matched without regard to case. */
  byName(name: string): readonly Service[] {
    return [...(this.#byName.get(name.toLowerCase())?.values() ?? [])];
  }

  /** By any address of the service as text; IPv6 in the kernel's notation. */
  byAddress(address: string): readonly Service[] {
    return [...(this.#byAddress.get(address)?.values() ?? [])];
  }

  add(service: Service): void {
    this.#byId.set(service.id, service);
    addTo(this.#byName, service.name, service);
    for (const address of addressesOf(service)) addTo(this.#byAddress, address, service);
  }

  /** @param service exactly as it was added */
  remove(service: Service): void {
    this.#byId.delete(service.id);
    removeFrom(this.#byName, service.name, service);
    for (const address of addressesOf(service)) removeFrom(this.#byAddress, address, service);
  }
}

function addTo(index: Map<string, Map<string, Service>>, key: string, service: Service): void {
  const services = index.get(key);
  if (services === undefined) index.set(key, new Map([[service.id, service]]));
  else services.set(service.id, service);
}

function removeFrom(index: Map<string, Map<string, Service>>, key: string, service: Service): void {
  const services = index.get(key);
  services?.delete(service.id);
  if (services?.size === 0) index.delete(key);
}
