import { parseCidr } from '../../src/network/cidr.ts';
import { IptablesFirewall } from '../../src/network/firewall/firewall.ts';
import { KernelEngine } from '../../src/network/kernel-engine.ts';
import { createLogger } from '../../src/runtime/log.ts';
import { TEST_BRIDGE } from './namespaces.ts';

/**
 * The kernel engine in a process of its own, for what one process cannot show: races, kills, missing capabilities.
 *
 *     attach NSPATH CIDR…   once; prints the result
 *     churn NSPATH CIDR…    attach and detach for ever, to be killed in the middle
 *     bridge                makes the bridge and its rules, by three concurrent calls
 *     expose - CIDR… [without=CIDR]…   makes it with these addresses; those behind without= are not masqueraded
 *     hide - CIDR… [without=CIDR]…     removes them
 *     reset                 removes the bridge and its rules
 *     unprotected           removes the rules alone
 *     read NSPATH           prints the addresses, with a watch running
 *     watch                 prints the first three notifications
 */
const [command, nsPath = '', ...texts] = process.argv.slice(2);
const log = createLogger({ level: 'info', pretty: true }, process.stderr);
const firewall = new IptablesFirewall({ log }, { bridge: TEST_BRIDGE, localBridges: ['docker0'] });
const engine = new KernelEngine({ firewall, log }, { bridge: TEST_BRIDGE, interface: 'ethwe', mtu: 1450 });
const target = { nsPath, container: 'c'.repeat(64) };
const WITHOUT = 'without=';
const cidrs = texts.filter((text) => !text.startsWith(WITHOUT)).map(parseCidr);
const unmasqueraded = texts
  .filter((text) => text.startsWith(WITHOUT))
  .map((text) => parseCidr(text.slice(WITHOUT.length)));

switch (command) {
  case 'attach':
    console.log(JSON.stringify(await engine.attach(target, cidrs)));
    break;
  case 'churn':
    for (;;) {
      await engine.attach(target, cidrs);
      console.log('attached');
      await engine.detach(target, cidrs);
    }
  case 'bridge':
    await Promise.all([engine.ensureBridge(), engine.ensureBridge(), engine.ensureBridge()]);
    break;
  case 'expose':
    await engine.expose(cidrs, { unmasqueraded });
    break;
  case 'hide':
    await engine.hide(cidrs, { unmasqueraded });
    break;
  case 'reset':
    await engine.removeBridge();
    break;
  case 'unprotected':
    await firewall.removeRules();
    break;
  case 'read': {
    const watch = await engine.watch(() => undefined);
    console.log(JSON.stringify(await engine.addresses(nsPath)));
    await watch.stop();
    break;
  }
  case 'watch': {
    const received: string[] = [];
    const watch = await engine.watch((namespace) => {
      if (received.push(String(namespace)) < 3) return;
      console.log(received.join(' '));
      void watch.stop();
    });
    break;
  }
  default:
    throw new Error(`no such command: ${command}`);
}
