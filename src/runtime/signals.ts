const NUMBERS = { SIGTERM: 15, SIGINT: 2 } as const;
export type StopSignal = keyof typeof NUMBERS;

const STOP_SIGNALS = Object.keys(NUMBERS) as StopSignal[];

/** The exit status of a process that a signal has ended, as shells report it. */
export const exitStatusOf = (signal: StopSignal): number => 128 + NUMBERS[signal];

/** `first` resolves at the first SIGTERM or SIGINT, so that the caller can clean up; the second ends the process. */
export function stopSignal(): { readonly first: Promise<StopSignal>; unsubscribe(): void } {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let isStopping = false;
  const onSignal = (signal: StopSignal) => {
    if (isStopping) process.exit(exitStatusOf(signal));
    isStopping = true;
    resolve(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  return {
    first: promise,
    unsubscribe: () => {
      for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    },
  };
}
