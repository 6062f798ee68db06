import type { LoadedSettings } from '../config/load.ts';
import { ignoredConsulVariables, unknownVariables } from '../config/unused-variables.ts';
import { Heddle } from '../heddle.ts';
import type { Io } from '../io.ts';
import { surviveFailures, surviveOutput } from '../last-resort.ts';
import { createLogger } from '../log.ts';
import { stopSignal } from '../signals.ts';
import { refusePassword } from './many-hosts.ts';

/**
 * Runs the daemon until SIGTERM or SIGINT, the second of which ends it at once; SIGHUP has it look at everything
 * anew. `notices` are said at the start.
 * @returns the exit status
 */
export async function daemon(
  settings: LoadedSettings,
  io: Io,
  env: Readonly<Record<string, string | undefined>>,
  notices: readonly string[] = [],
): Promise<number> {
  refusePassword(env);
  const pretty = settings.logFormat === 'pretty' || (settings.logFormat === 'auto' && process.stdout.isTTY);
  const log = createLogger({ level: settings.logLevel, pretty }, io.stdout);
  for (const notice of notices) log.info(notice);
  const ignored = settings.registry.kind === 'consul' ? ignoredConsulVariables(env) : undefined;
  for (const warning of [unknownVariables(env), ignored]) if (warning !== undefined) log.warn(warning);
  const heddle = new Heddle(settings, { log, env });
  surviveOutput([process.stdout, process.stderr]);
  const lastResort = surviveFailures({ log, heal: () => heddle.pass() });
  const signal = stopSignal();
  const onHangUp = () => {
    log.info('told by SIGHUP to look at everything');
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
    signal.forget();
    process.off('SIGHUP', onHangUp);
  }
}
