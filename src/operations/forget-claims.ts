import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXPOSED } from '../ipam/claims.ts';
import { STATE_FILE, StateFile } from '../state/state.ts';

/**
 * Removes the addresses of all owners from the saved state of a daemon that has ended. The next daemon would assign
 * them again.
 * @param folder of the state
 * @param containers all that exist; the next daemon would also assign the addresses that their labels request
 * @returns false where there is no saved state
 */
export async function forgetSavedClaims(folder: string, containers: readonly string[]): Promise<boolean> {
  if (!existsSync(join(folder, STATE_FILE))) return false;
  const state = await StateFile.open(folder);
  await state.change((state) => {
    const { claims, names } = state;
    const owners = new Set([...containers, ...Object.keys(claims)]);
    owners.delete(EXPOSED);
    return {
      ...state,
      claims: Object.fromEntries(Array.from(owners, (owner) => [owner, []])),
      attachments: {},
      unmasqueraded: [],
      leaving: {},
      names: names.filter(({ container }) => container !== EXPOSED),
    };
  });
  return true;
}
