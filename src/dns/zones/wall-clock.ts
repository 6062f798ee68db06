/**
 * Milliseconds since 1970, only for the serial of an SOA record, which is a date. Every age and every wait is measured
 * by `performance.now`: the wall clock may be set back or forward.
 */
export const wallClock = (): number => Date.now();
