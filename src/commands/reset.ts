import type { HostWord } from './word.ts';

export const reset: HostWord = {
  name: 'reset',
  describe: (command) =>
    void command
      .summary('remove the bridge, what is attached to it, the rules and the claims')
      .option('--force', 'accepted, as by the weave script'),
  async run(host) {
    await host.addresses.reset();
    return 0;
  },
};
