import { requestsIn } from './addresses.ts';
import type { HostWord } from './word.ts';

/** What `run` asks before it starts anything: could a new container have these? */
export const checkAddresses: HostWord = {
  name: 'check-addresses',
  hidden: true,
  describe: (command) =>
    void command
      .summary('find out whether a new container could have these addresses')
      .argument('<addresses...>'),
  async run(host, request) {
    await host.addresses.check(requestsIn(request.args));
    return 0;
  },
};
