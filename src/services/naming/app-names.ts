import type { Snapshot } from '../../docker/snapshot.ts';
import { shown } from '../meta.ts';
import type { Service } from '../service.ts';
import { marathonName } from './marathon.ts';

interface App {
  /** Without leading and trailing slashes: both spellings of an id are one app. */
  readonly id: string;
  /** Names that only this app should have: `site1.customer1.web`, `site1-customer1.web`. */
  readonly names: readonly string[];
}

/**
 * Which names the Marathon apps of this host have. `/web/b/a` and `/web/a-b` both get `a-b.web`. DNS cannot distinguish
 * them, but the operator gets a warning.
 */
export class AppNames {
  readonly #apps = new Map<string, App>();
  /** By name: how many containers of each app have it. */
  readonly #byName = new Map<string, Map<string, number>>();

  /** Records the container's app, if its services are named after one. */
  set({ id, metadata }: Snapshot, services: readonly Service[]): void {
    this.delete(id);
    const app = appOf(metadata.get('MARATHON_APP_ID') ?? '', services);
    if (app === undefined) return;
    this.#apps.set(id, app);
    for (const name of app.names) {
      const apps = this.#byName.get(name) ?? new Map<string, number>();
      this.#byName.set(name, apps.set(app.id, (apps.get(app.id) ?? 0) + 1));
    }
  }

  delete(container: string): void {
    const app = this.#apps.get(container);
    this.#apps.delete(container);
    for (const name of app?.names ?? []) {
      const apps = this.#byName.get(name);
      const left = (apps?.get(app?.id ?? '') ?? 0) - 1;
      if (left > 0) apps?.set(app?.id ?? '', left);
      else apps?.delete(app?.id ?? '');
      if (apps?.size === 0) this.#byName.delete(name);
    }
  }

  /** One sentence for each name that another app has as well. */
  problems(container: string): readonly string[] {
    const app = this.#apps.get(container);
    return (app?.names ?? []).flatMap((name) => {
      const others = [...(this.#byName.get(name)?.keys() ?? [])].filter((id) => id !== app?.id);
      if (others.length === 0) return [];
      return [
        `MARATHON_APP_ID: the app /${shown(others[0] ?? '')} also has the name ${name}; rename one of them`,
      ];
    });
  }
}

function appOf(appId: string, services: readonly Service[]): App | undefined {
  const marathon = marathonName(appId);
  if (marathon === undefined || 'problem' in marathon) return undefined;
  const { name, tags } = marathon;
  const named = services.some(
    (service) => service.name === name && tags.every((tag) => service.tags.includes(tag)),
  );
  if (!named) return undefined;
  // Apps share the name of an app without groups by design: all apps below it have that name.
  const names = tags.length === 0 ? [name] : tags.map((tag) => `${tag}.${name}`);
  return { id: appId.split('/').filter(Boolean).join('/'), names };
}
