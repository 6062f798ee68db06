import http from 'node:http';
import { engineApi as api } from '../../test/support/engine-api.ts';

/** The engine's socket. Containers are made through its API: the docker client would take longer than what is measured. */
const SOCKET = '/var/run/docker.sock';
const LABEL = 'heddle.bench';

export async function create(
  name: string,
  labels: Readonly<Record<string, string>> = {},
  restartPolicy: { readonly Name: string } = { Name: 'no' },
): Promise<string> {
  const { Id } = (await api('POST', `/containers/create?name=${name}`, {
    Image: 'busybox',
    Cmd: ['sleep', '3600'],
    Env: [`SERVICE_NAME=${name}`],
    ExposedPorts: { '80/tcp': {} },
    Labels: { [LABEL]: '1', ...labels },
    HostConfig: { RestartPolicy: restartPolicy },
  })) as { Id: string };
  return Id;
}

export const start = (id: string): Promise<unknown> => api('POST', `/containers/${id}/start`);
export const kill = (id: string): Promise<unknown> => api('POST', `/containers/${id}/kill`);

/** Removes the containers of this benchmark, and nothing else. */
export async function removeAll(): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${LABEL}=1`] }));
  const found = (await api('GET', `/containers/json?all=1&filters=${filters}`)) as { Id: string }[];
  for (const { Id } of found) await api('DELETE', `/containers/${Id}?force=1`);
}

/** The engine's own time of each `start` and `die`, in ms since 1970, by `<id>:<action>`. */
export function eventTimes(): { readonly times: ReadonlyMap<string, number>; close(): void } {
  const times = new Map<string, number>();
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['start', 'die'] }));
  const request = http.get({ socketPath: SOCKET, path: `/events?filters=${filters}` }, (response) => {
    let rest = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const { Action, Actor, timeNano } = JSON.parse(line) as {
          Action: string;
          Actor: { ID: string };
          timeNano: number;
        };
        times.set(`${Actor.ID}:${Action}`, timeNano / 1e6);
      }
    });
    response.on('error', () => {});
  });
  request.on('error', () => {});
  return { times, close: () => void request.destroy() };
}
