import { isDeepStrictEqual } from 'node:util';

/** The parts of a state that a change can undo. */
interface Undoable {
  readonly claims: Lists;
  readonly leaving: Lists;
  readonly attachments: Values<unknown>;
  readonly unmasqueraded: readonly unknown[];
  readonly names: readonly unknown[];
}

/** A change that could not be written. */
export interface Change<State extends Undoable> {
  readonly before: State;
  readonly after: State;
}

/** Removes one change from the state and keeps all later changes. */
export function undo<State extends Undoable>(state: State, { before, after }: Change<State>): State {
  return {
    ...state,
    claims: lists(state.claims, before.claims, after.claims),
    leaving: lists(state.leaving, before.leaving, after.leaving),
    attachments: values(state.attachments, before.attachments, after.attachments),
    unmasqueraded: list(state.unmasqueraded, before.unmasqueraded, after.unmasqueraded),
    names: list(state.names, before.names, after.names),
  };
}

/** Removes the items that the change added, and restores those that it removed. */
function list<T>(now: readonly T[], before: readonly T[], after: readonly T[]): T[] {
  // The order of addresses matters.
  if (isDeepStrictEqual(now, after)) return [...before];
  const has = (items: readonly T[], item: T) => items.some((other) => isDeepStrictEqual(other, item));
  const remaining = now.filter((item) => has(before, item) || !has(after, item));
  return [...remaining, ...before.filter((item) => !has(after, item) && !has(remaining, item))];
}

type Lists = Readonly<Record<string, string[]>>;

function lists(now: Lists, before: Lists, after: Lists): Record<string, string[]> {
  const result = { ...now };
  for (const key of changed(before, after)) {
    const undone = list(now[key] ?? [], before[key] ?? [], after[key] ?? []);
    if (undone.length > 0 || before[key] !== undefined) result[key] = undone;
    else delete result[key];
  }
  return result;
}

type Values<T> = Readonly<Record<string, T>>;

function values<T>(now: Values<T>, before: Values<T>, after: Values<T>): Record<string, T> {
  const result = { ...now };
  for (const key of changed(before, after)) {
    // A later change of this value wins.
    if (!isDeepStrictEqual(now[key], after[key])) continue;
    const value = before[key];
    if (value === undefined) delete result[key];
    else result[key] = value;
  }
  return result;
}

const changed = (before: Values<unknown>, after: Values<unknown>): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
