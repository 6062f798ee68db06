import type { HostRestartPolicy } from 'dockerode';
import type { DockerClient } from '../docker/client.ts';
import {
  type DaemonArguments,
  daemonArguments,
  daemonContainer,
  type LaunchOptions,
} from './daemon-container.ts';

/** The daemon stops in well under a second; Docker kills it after this time. */
const STOP_S = 10;

/** What the engine is asked to do with the container of a daemon, a call each. */
export const create = (client: DockerClient, name: string, options: LaunchOptions): Promise<string> =>
  client.call(`create the container ${name}`, async (docker) => {
    const { id } = await docker.createContainer({ name, ...daemonContainer(options) });
    return id;
  });

export const start = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('start the container', (docker) => docker.getContainer(id).start());

export const stop = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('stop the container', (docker) => docker.getContainer(id).stop({ t: STOP_S }));

export const rename = (client: DockerClient, id: string, name: string): Promise<unknown> =>
  client.call(`rename the container ${id.slice(0, 12)}`, (docker) =>
    docker.getContainer(id).rename({ name }),
  );

export const argumentsOf = (client: DockerClient, id: string): Promise<DaemonArguments> =>
  client.call("ask for the daemon's arguments", async (docker) => {
    const { Config: config } = await docker.getContainer(id).inspect();
    return daemonArguments(config);
  });

export const restartPolicy = (client: DockerClient, id: string): Promise<HostRestartPolicy> =>
  client.call('ask how the container is restarted', async (docker) => {
    const { HostConfig: host } = await docker.getContainer(id).inspect();
    return host.RestartPolicy ?? { Name: 'no' };
  });

export const setRestartPolicy = (
  client: DockerClient,
  id: string,
  policy: HostRestartPolicy,
): Promise<unknown> =>
  client.call('say how the container is restarted', (docker) =>
    docker.getContainer(id).update({ RestartPolicy: policy }),
  );

export const remove = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('remove the container', (docker) => docker.getContainer(id).remove({ force: true, v: true }));
