import { cachedInterfaceAddresses } from '../addresses/interface-addresses.ts';
import type { CheckBounds } from '../services/checks/target-address.ts';
import type { DefineOptions } from '../services/definition.ts';
import type { Settings } from './schema.ts';

/** The options of `define` from the settings; used by the daemon and by commands without a daemon. */
export function defineOptions(
  settings: Settings,
  assignedTo?: CheckBounds['assignedTo'],
): Omit<DefineOptions, 'hostId' | 'runs'> {
  const { servicePrefix, explicit, composeNames, tags, marathonTaskTags, useIpFromLabel } = settings;
  const { allowScriptChecks, healthcheck, checkMethods, checkHeaders } = settings;
  const checkBounds = {
    ...{
      allowed: settings.checkAddressAllow,
      hostIp: settings.ip,
      hostAddresses: cachedInterfaceAddresses(),
    },
    ...(assignedTo && { assignedTo }),
  };
  return {
    checkBounds,
    maxServices: settings.maxServices,
    ...(checkMethods.length > 0 && { checkMethods }),
    ...(checkHeaders.length > 0 && { checkHeaders }),
    ...{ servicePrefix, explicit, composeNames, taskTags: marathonTaskTags, allowScriptChecks, healthcheck },
    ...(tags && { tagTemplate: tags }),
    ...(useIpFromLabel !== undefined && { addressLabel: useIpFromLabel }),
  };
}
