import { isDeepStrictEqual } from 'node:util';

/** What changes of a state. */
interface Undoable {
  readonly claims: Lists;
  readonly leaving: Lists;
  readonly attachments: Values<unknown>;
  readonly unmasqueraded: readonly unknown[];
  readonly names: readonly unknown[];
}

/** A change that could not be kept. */
export interface Change<State extends Undoable> {
  readonly before: State;
  readonly after: State;
}

/** The state without one change, and with all that others have changed since. */
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

/** What the change added is taken out, what it took out is added again. */
function list<T>(now: readonly T[], before: readonly T[], after: readonly T[]): T[] {
  // The order of addresses counts.
  if (isDeepStrictEqual(now, after)) return [...before];
  const has = (items: readonly T[], item: T) => items.some((other) => isDeepStrictEqual(other, item));
  const left = now.filter((item) => has(before, item) || !has(after, item));
  return [...left, ...before.filter((item) => !has(after, item) && !has(left, item))];
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
    // Another change of it counts.
    if (!isDeepStrictEqual(now[key], after[key])) continue;
    const value = before[key];
    if (value === undefined) delete result[key];
    else result[key] = value;
  }
  return result;
}

const changed = (before: Values<unknown>, after: Values<unknown>): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
