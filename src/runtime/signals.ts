const NUMBERS = { SIGTERM: 15, SIGINT: 2 } as const;
export type StopSignal = keyof typeof NUMBERS;

const STOP_SIGNALS = Object.keys(NUMBERS) as StopSignal[];

/** The exit status of a process that a signal has ended, as shells have it. */
export const statusOf = (signal: StopSignal): number => 128 + NUMBERS[signal];

/** `first` resolves at the first SIGTERM or SIGINT, so that there is time to tidy up; the second ends the process. */
export function stopSignal(): { readonly first: Promise<StopSignal>; forget(): void } {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let heard = false;
  const listen = (signal: StopSignal) => {
    if (heard) process.exit(statusOf(signal));
    heard = true;
    resolve(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, listen);
  return {
    first: promise,
    forget: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, listen);
    },
  };
}
