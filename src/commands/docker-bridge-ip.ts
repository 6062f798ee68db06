import type { HostWord } from './word.ts';

export const dockerBridgeIp: HostWord = {
  name: 'docker-bridge-ip',
  describe: (command) => void command.summary("print the address of Docker's bridge"),
  async run(host, _, io) {
    io.stdout.write(`${await host.bridgeAddress()}\n`);
    return 0;
  },
};
