import type { ObserverNeeds } from '../../src/containers/observe.ts';

/** The needs of an observer on a host where no address is requested, released or shared, and every address counts. */
export const observerNeeds = (
  needs: Pick<ObserverNeeds, 'namespaceOf' | 'reader'> & Partial<ObserverNeeds>,
): ObserverNeeds => ({
  granted: { counted: async (_, __, addresses) => ({ addresses, ignored: [] }) },
  claims: { optionsOf: () => ({}) },
  addressing: {
    wanted: async () => NOTHING_WANTED,
    expected: () => NOTHING_WANTED,
    adopt: async () => {},
  },
  attachment: { connect: async () => {}, finishRelease: async () => {} },
  hostsFiles: { keep: async () => {} },
  staleSharers: { leftBy: async () => undefined, clear: async () => {} },
  bridges: { subnets: async () => [] },
  announcedHost: { of: async () => undefined },
  ...needs,
});

const NOTHING_WANTED = { cidrs: [], refused: false, problem: undefined };
