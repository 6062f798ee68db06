import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/root.ts';
import { type Container, runContainer } from './engine.ts';

/** What this test needs of an app definition of Marathon's. */
interface App {
  readonly id: string;
  readonly cpus: number;
  readonly mem: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly portDefinitions?: readonly { readonly name?: string }[];
  readonly container: {
    readonly docker: {
      readonly image: string;
      readonly network: 'BRIDGE' | 'HOST';
      readonly portMappings?: readonly PortMapping[];
      readonly parameters?: readonly { readonly key: string; readonly value: string }[];
    };
  };
}

interface PortMapping {
  readonly containerPort: number;
  readonly protocol: string;
  readonly name?: string;
}

export interface Offer {
  /** The agent's name for itself: an address where it was started with `--hostname`. */
  readonly host: string;
  /** The host ports of the offer, one for each port of the app. */
  readonly ports: readonly number[];
}

/** An app of examples/marathon. */
export function exampleApp(file: string): App {
  return JSON.parse(readFileSync(join(ROOT, 'examples/marathon', file), 'utf8')) as App;
}

/**
 * Starts a task as Mesos' Docker containerizer does for Marathon (its TaskBuilder and EnvironmentHelper): same
 * variables, label, name and ports. Only the image and the command are the test's own.
 */
export function runTask(app: App, offer: Offer): Promise<Container> {
  const { docker } = app.container;
  const task = `${app.id.split('/').filter(Boolean).reverse().join('_')}.${randomUUID()}`;
  const env = { ...marathonVariables(app, task), ...portVariables(app, offer), ...app.env };
  const published = docker.network === 'HOST' ? [] : (docker.portMappings ?? []);
  return runContainer([
    ...['--cpu-shares', String(Math.trunc(app.cpus * 1024)), '--memory', `${app.mem}m`],
    ...Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...['--net', docker.network.toLowerCase()],
    ...published.flatMap(({ containerPort, protocol }, at) => [
      ...['-p', `${offer.ports[at]}:${containerPort}/${protocol}`],
    ]),
    ...(docker.parameters ?? []).map(({ key, value }) => `--${key}=${value}`),
    ...['--label', `MESOS_TASK_ID=${task}`, '--name', `mesos-${randomUUID()}-S0.${randomUUID()}`],
  ]);
}

function marathonVariables(app: App, task: string): Record<string, string> {
  const labels = Object.entries(app.labels ?? {}).map(
    ([name, value]) => [name.replace(/[^a-zA-Z0-9]/g, '_').toUpperCase(), value] as const,
  );
  return {
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: '2015-04-02T09:37:00.596Z',
    MARATHON_APP_DOCKER_IMAGE: app.container.docker.image,
    MARATHON_APP_RESOURCE_CPUS: app.cpus.toFixed(1),
    MARATHON_APP_RESOURCE_MEM: app.mem.toFixed(1),
    MARATHON_APP_RESOURCE_DISK: '0.0',
    MARATHON_APP_RESOURCE_GPUS: '0',
    MARATHON_APP_LABELS: labels.map(([name]) => name).join(' '),
    ...Object.fromEntries(labels.map(([name, value]) => [`MARATHON_APP_LABEL_${name}`, value])),
    MESOS_TASK_ID: task,
    MESOS_SANDBOX: '/mnt/mesos/sandbox',
    MESOS_CONTAINER_NAME: `mesos-${randomBytes(8).toString('hex')}`,
  };
}

function portVariables(app: App, { host, ports }: Offer): Record<string, string> {
  const named = app.container.docker.portMappings ?? app.portDefinitions ?? [];
  const variables: Record<string, string> = { HOST: host, PORTS: ports.join(','), PORT: String(ports[0]) };
  named.forEach((port, at) => {
    const host = String(ports[at]);
    variables[`PORT${at}`] = host;
    variables[`PORT_${'containerPort' in port ? port.containerPort : host}`] = host;
    if (port.name !== undefined) variables[`PORT_${port.name.toUpperCase()}`] = host;
  });
  return variables;
}
