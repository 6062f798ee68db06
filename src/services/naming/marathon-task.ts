import { isIP } from 'node:net';
import { isUnspecified } from '../../addresses/reachable.ts';
import type { ContainerPort, Snapshot } from '../../docker/snapshot.ts';

/** More ports than this in one task are a mistake or an attack. */
const MAX_PORTS = 64;

const isTask = ({ metadata }: Snapshot): boolean => metadata.has('MARATHON_APP_ID');

/** The tag that marathon-consul gave its tasks. */
export function taskTag({ metadata }: Snapshot): readonly string[] {
  const task = metadata.get('MESOS_TASK_ID') ?? '';
  return task === '' ? [] : [`marathon-task:${task}`];
}

/**
 * A task in the host's network listens on the ports that Marathon assigned: PORT0, PORT1, …, not those that the image
 * exposes. In every other network Docker reports the published ports.
 */
export function withMarathonPorts(snapshot: Snapshot): Snapshot {
  if (snapshot.networkMode !== 'host' || !isTask(snapshot)) return snapshot;
  const ports: ContainerPort[] = [];
  for (let at = 0; at < MAX_PORTS; at++) {
    const port = snapshot.metadata.get(`PORT${at}`) ?? '';
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) break;
    ports.push({ port: Number(port), protocol: 'tcp', published: [] });
  }
  return ports.length === 0 ? snapshot : { ...snapshot, ports };
}

/**
 * Marathon's first port, which need not be the lowest: the port that Docker publishes at PORT0, or the one whose
 * `PORT_<port>` equals PORT0, or PORT0 itself if the container has its own address.
 */
export function firstPort({ ports, metadata }: Snapshot): ContainerPort | undefined {
  const first = metadata.get('PORT0') ?? '';
  if (!/^\d{1,5}$/.test(first)) return ports[0];
  const number = Number(first);
  return (
    ports.find(({ published }) => published.some(({ hostPort }) => hostPort === number)) ??
    ports.find(({ port }) => metadata.get(`PORT_${port}`) === first) ??
    ports.find(({ port }) => port === number) ??
    ports[0]
  );
}

/** The agent's address that Marathon passes to a task in HOST; undefined if it is a name. */
export function taskHost(snapshot: Snapshot): string | undefined {
  const host = snapshot.metadata.get('HOST') ?? '';
  const isAddress = isIP(host) !== 0 && !host.includes('%') && !isUnspecified(host);
  return isTask(snapshot) && isAddress ? host : undefined;
}
