import { messageOf } from '../errors.ts';
import { ConsulAccess } from '../registry/consul/api/access.ts';
import type { ConsulClient } from '../registry/consul/api/client.ts';
import { consulClient, type RegistrySettings } from '../registry/open.ts';
import { findClock } from './clock.ts';
import { type Finding, ok } from './finding.ts';

const CONSUL_ADVICE =
  'is Consul up, does it have a leader, and may the token read and write? see heddle status registry';
const START_ADVICE = 'start one: heddle launch, or heddle daemon';

/** The finding about the registry of a daemon. */
export function findRegistry(report: {
  readonly name: string;
  readonly state: string;
  readonly detail: string;
}): Finding {
  const subject = 'registry';
  const detail = [report.name, report.state, report.detail].filter(Boolean).join(', ');
  if (report.state === 'synced' && report.detail === '') return ok(subject, detail);
  const state = report.state === 'synced' ? 'warning' : 'failed';
  return { subject, state, detail, advice: CONSUL_ADVICE };
}

/** Without a daemon: asks the Consul of the settings itself, and compares its clock. */
export async function findRegistryWithoutDaemon(settings: RegistrySettings): Promise<readonly Finding[]> {
  const subject = 'registry';
  const { registry: uri } = settings;
  if (uri.kind === 'embedded') {
    return [{ subject, state: 'unknown', detail: 'no daemon running', advice: START_ADVICE }];
  }
  let client: ConsulClient | undefined;
  try {
    client = consulClient(uri, settings);
    const access = new ConsulAccess(client);
    await access.ready();
    await access.proveReading();
    const detail = `${client.name} has a leader and is readable, but no daemon is running`;
    return [{ subject, state: 'ok', detail, advice: START_ADVICE }, await clockOf(client)];
  } catch (error) {
    return [{ subject, state: 'failed', detail: messageOf(error), advice: CONSUL_ADVICE }];
  } finally {
    client?.close();
  }
}

/** The finding about Consul's clock, if the settings have a Consul and it answers. */
export async function findConsulClock(settings: RegistrySettings): Promise<readonly Finding[]> {
  const { registry: uri } = settings;
  if (uri.kind === 'embedded') return [];
  const client = consulClient(uri, settings);
  try {
    return [await clockOf(client)];
  } catch {
    return []; // another finding reports that Consul does not answer
  } finally {
    client.close();
  }
}

async function clockOf(client: ConsulClient): Promise<Finding> {
  const date = await new ConsulAccess(client).date();
  return findClock('clock Consul', "Consul's", date, Date.now());
}
