import * as v from 'valibot';
import { containerName } from '../docker/container-name.ts';
import { LOG_LEVELS } from '../runtime/log-level.ts';
import { DEFAULT_CONTROL_SOCKET } from './default-paths.ts';
import type { SettingTable } from './setting.ts';
import { oneOf, onOrOff, text } from './value-types.ts';

/** The daemon: its state, its socket, its container, its log. */
export const DAEMON_SETTINGS = {
  onStop: {
    schema: v.optional(oneOf(['keep', 'deregister']), 'keep'),
    flag: 'on-stop',
    value: 'keep|deregister',
    help: 'what happens to the registrations when heddle stops; containers keep running',
  },
  stateDir: {
    schema: v.optional(text, '/var/lib/heddle'),
    flag: 'state-dir',
    value: 'folder',
    help: 'where the host-id and assigned addresses are stored',
  },
  socket: {
    schema: v.optional(text, DEFAULT_CONTROL_SOCKET),
    flag: 'socket',
    value: 'path',
    help: "the daemon's control socket",
  },
  takeOver: {
    schema: v.optional(onOrOff, false),
    flag: 'take-over',
    help: 'replace the running daemon: it exits when this one is ready to start',
  },
  containerName: {
    schema: v.optional(v.pipe(text, v.transform(containerName)), 'heddle'),
    flag: 'container-name',
    value: 'name',
    help: 'the name of the heddle container on a host that is reached by its Docker API',
    env: ['WEAVE_CONTAINER_NAME'],
  },
  image: {
    schema: v.optional(text),
    flag: 'image',
    value: 'image',
    help: 'the image to use on a host without a heddle container (heddle:<this version>)',
  },
  procfs: {
    schema: v.optional(text, '/proc'),
    flag: 'procfs',
    value: 'folder',
    help: "where the host's /proc is mounted",
    env: ['PROCFS'],
  },
  logLevel: {
    schema: v.optional(oneOf(LOG_LEVELS), 'info'),
    flag: 'log-level',
    value: 'level',
    help: LOG_LEVELS.join(', '),
  },
  logFormat: {
    schema: v.optional(oneOf(['auto', 'json', 'pretty']), 'auto'),
    flag: 'log-format',
    value: 'format',
    help: 'json, pretty, or auto: pretty on a terminal',
  },
} as const satisfies SettingTable;
