/**
 * Milliseconds since 1970, for the serial of an SOA alone, which is a date. Every age and every wait is measured by
 * `performance.now`: the calendar is set back and forth.
 */
export const wallClock = (): number => Date.now();
