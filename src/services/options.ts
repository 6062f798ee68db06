import type { Settings } from '../config/schema.ts';
import type { DefineOptions } from './define.ts';

/** How definitions are made, as the settings say; the same in the daemon and in a word without one. */
export function defineOptions(settings: Settings): Omit<DefineOptions, 'hostId' | 'runs'> {
  const { servicePrefix, explicit, composeNames, tags, marathonTaskTags, useIpFromLabel } = settings;
  const { allowScriptChecks, healthcheck } = settings;
  return {
    ...{ servicePrefix, explicit, composeNames, taskTags: marathonTaskTags, allowScriptChecks, healthcheck },
    ...(tags && { tagTemplate: tags }),
    ...(useIpFromLabel !== undefined && { addressLabel: useIpFromLabel }),
  };
}
