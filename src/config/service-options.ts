import { keptAddresses } from '../addresses/interface-addresses.ts';
import type { CheckBounds } from '../services/checks/target-address.ts';
import type { DefineOptions } from '../services/define.ts';
import type { Settings } from './schema.ts';

/** How definitions are made, as the settings say; the same in the daemon and in a word without one. */
export function defineOptions(
  settings: Settings,
  givenTo?: CheckBounds['givenTo'],
): Omit<DefineOptions, 'hostId' | 'runs'> {
  const { servicePrefix, explicit, composeNames, tags, marathonTaskTags, useIpFromLabel } = settings;
  const { allowScriptChecks, healthcheck, checkMethods, checkHeaders } = settings;
  const checkBounds = {
    ...{ allowed: settings.checkAddressAllow, hostIp: settings.ip, hostAddresses: keptAddresses() },
    ...(givenTo && { givenTo }),
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
