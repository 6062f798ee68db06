import type { LoadedSettings } from '../../config/load.ts';
import { ignoredConsulVariables, unknownVariables } from '../../config/unused-variables.ts';
import { Heddle } from '../../daemon/heddle.ts';
import type { RunOnHost } from '../../operations/host-operations.ts';
import type { Io } from '../../runtime/io.ts';
import { surviveFailures, surviveOutput } from '../../runtime/last-resort.ts';
import { createLogger } from '../../runtime/log.ts';
import { stopSignal } from '../../runtime/signals.ts';
import { refusePassword } from '../compat/many-hosts.ts';

export interface DaemonNeeds {
  readonly runOnHost: RunOnHost;
  /** Sentences to log at the start. */
  readonly notices?: readonly string[];
}

/**
 * Runs the daemon until SIGTERM or SIGINT; a second signal ends it at once. SIGHUP makes it scan everything again.
 * @returns the exit status
 */
export async function daemon(
  settings: LoadedSettings,
  io: Io,
  env: Readonly<Record<string, string | undefined>>,
  { runOnHost, notices = [] }: DaemonNeeds,
): Promise<number> {
  refusePassword(env);
  const pretty = settings.logFormat === 'pretty' || (settings.logFormat === 'auto' && process.stdout.isTTY);
  const log = createLogger({ level: settings.logLevel, pretty }, io.stdout);
  for (const notice of notices) log.info(notice);
  const ignored = settings.registry.kind === 'consul' ? ignoredConsulVariables(env) : undefined;
  for (const warning of [unknownVariables(env), ignored]) if (warning !== undefined) log.warn(warning);
  const heddle = new Heddle(settings, { log, env, runOnHost });
  surviveOutput([process.stdout, process.stderr]);
  const lastResort = surviveFailures({ log, rescan: () => heddle.pass() });
  const signal = stopSignal();
  const onHangUp = () => {
    log.info('SIGHUP received: scanning everything');
    heddle.pass();
  };
  process.on('SIGHUP', onHangUp);
  try {
    await heddle.start();
    log.info(heddle.summary(), 'ready');
    const why = await Promise.race([signal.first, heddle.handedOver.then(() => 'another daemon')]);
    log.info({ why }, 'stopping');
    return 0;
  } finally {
    await heddle.stop();
    lastResort.stop();
    signal.unsubscribe();
    process.off('SIGHUP', onHangUp);
  }
}
