import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EXPOSED } from '../ipam/claims.ts';
import { STATE_FILE, StateFile } from '../state/state.ts';

/**
 * Leaves everybody without any address in the state that a daemon has left behind: the next one would give them back.
 * @param folder of the state
 * @param containers those that exist; what their labels ask for would be given, too
 * @returns false where there is no state
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
