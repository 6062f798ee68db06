import * as v from 'valibot';
import { containerName } from '../docker/container-name.ts';
import { LOG_LEVELS } from '../runtime/log-level.ts';
import { DEFAULT_CONTROL_SOCKET } from './default-paths.ts';
import { oneOf, onOrOff, text } from './forms.ts';
import type { SettingTable } from './setting.ts';

/** The daemon itself: its state, its socket, its container, its log. */
export const DAEMON_SETTINGS = {
  onStop: {
    schema: v.optional(oneOf(['keep', 'deregister']), 'keep'),
    flag: 'on-stop',
    value: 'keep|deregister',
    help: 'what becomes of the registrations when heddle stops: containers live on',
  },
  stateDir: {
    schema: v.optional(text, '/var/lib/heddle'),
    flag: 'state-dir',
    value: 'folder',
    help: 'where the host-id and given addresses are kept',
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
    help: 'take the place of a daemon that runs here: it ends when this one is ready to begin',
  },
  containerName: {
    schema: v.optional(v.pipe(text, v.transform(containerName)), 'heddle'),
    flag: 'container-name',
    value: 'name',
    help: 'the name of the heddle container on a host reached by its Docker API',
    env: ['WEAVE_CONTAINER_NAME'],
  },
  image: {
    schema: v.optional(text),
    flag: 'image',
    value: 'image',
    help: 'the image for a host where no heddle container runs (heddle:<this version>)',
  },
  procfs: {
    schema: v.optional(text, '/proc'),
    flag: 'procfs',
    value: 'folder',
    help: "where the host's /proc is seen",
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
