import type { HostRestartPolicy } from 'dockerode';
import type { DockerClient } from '../docker/client.ts';
import {
  type DaemonArguments,
  daemonArguments,
  daemonContainer,
  type LaunchOptions,
} from './daemon-container.ts';

/** Docker kills the daemon after this time. The daemon normally stops in well under a second. */
const STOP_S = 10;

/** Calls to the Docker API for the container of a daemon, one function for each. */
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
  client.call("read the daemon's arguments", async (docker) => {
    const { Config: config } = await docker.getContainer(id).inspect();
    return daemonArguments(config);
  });

export const restartPolicy = (client: DockerClient, id: string): Promise<HostRestartPolicy> =>
  client.call("read the container's restart policy", async (docker) => {
    const { HostConfig: host } = await docker.getContainer(id).inspect();
    return host.RestartPolicy ?? { Name: 'no' };
  });

export const setRestartPolicy = (
  client: DockerClient,
  id: string,
  policy: HostRestartPolicy,
): Promise<unknown> =>
  client.call("set the container's restart policy", (docker) =>
    docker.getContainer(id).update({ RestartPolicy: policy }),
  );

export const remove = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('remove the container', (docker) => docker.getContainer(id).remove({ force: true, v: true }));
