import type { HostWord } from './word.ts';

export const reset: HostWord = {
  name: 'reset',
  describe: (command) =>
    void command
      .summary('remove the bridge, what is attached to it, the rules and the claims')
      .option('--force', "also where the bridge is Docker's own"),
  async run(host, { options }) {
    await host.addresses.reset({ force: options.force === true });
    return 0;
  },
};
