import * as v from 'valibot';
import { parseTagTemplate } from '../services/tag-template/template.ts';
import type { SettingTable } from './setting.ts';
import {
  listOf,
  oneOf,
  onOrOff,
  parseHeaderName,
  parseMethod,
  parseNetworkAllowed,
  text,
  whole,
} from './value-types.ts';

/** How the metadata of containers becomes services and checks, and its bounds. */
export const SERVICE_SETTINGS = {
  servicePrefix: {
    schema: v.optional(
      v.pipe(text, v.regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'is not a variable name')),
      'SERVICE_',
    ),
    flag: 'service-prefix',
    value: 'prefix',
    help: 'prefix of the metadata keys',
  },
  explicit: {
    schema: v.optional(onOrOff, false),
    flag: 'explicit',
    help: 'register only containers with a SERVICE_NAME',
  },
  composeNames: {
    schema: v.optional(onOrOff, false),
    flag: 'compose-names',
    help: 'name services after the compose or Swarm service instead of the image',
  },
  tags: {
    schema: v.optional(v.pipe(text, v.transform(parseTagTemplate))),
    flag: 'tags',
    value: 'template',
    help: 'tags for every service, separated by commas; may contain fields of the container: {{.Config.Hostname}}',
  },
  marathonTaskTags: {
    schema: v.optional(onOrOff, false),
    flag: 'marathon-task-tags',
    help: 'give Marathon tasks the tag marathon-task:<MESOS_TASK_ID>',
  },
  useIpFromLabel: {
    schema: v.optional(text),
    flag: 'use-ip-from-label',
    value: 'label',
    help: 'announce containers with this label at the address in it; a prefix length is removed',
  },
  deregister: {
    schema: v.optional(oneOf(['always', 'on-success']), 'always'),
    flag: 'deregister',
    value: 'always|on-success',
    help: 'on-success keeps the services of a container that exited by itself with an error',
  },
  allowScriptChecks: {
    schema: v.optional(onOrOff, false),
    flag: 'allow-script-checks',
    help: "let containers set commands that Consul's agent runs as checks",
  },
  maxServices: {
    schema: v.optional(whole(1, 4096), 256),
    flag: 'max-services',
    value: 'number',
    help: 'the most services of one container; services of further ports are left out',
  },
  checkAddressAllow: {
    schema: v.optional(listOf(parseNetworkAllowed), []),
    flag: 'check-address-allow',
    value: 'network',
    help: 'let checks target this network outside their container, like 10.0.0.0/8; several by repetition or commas',
    list: true,
  },
  checkMethods: {
    schema: v.optional(listOf(parseMethod), []),
    flag: 'check-methods',
    value: 'method',
    help: 'the only HTTP methods that containers may choose for checks; several by repetition or commas (any)',
    list: true,
  },
  checkHeaders: {
    schema: v.optional(listOf(parseHeaderName), []),
    flag: 'check-headers',
    value: 'name',
    help: 'the only HTTP headers that containers may choose for checks; several by repetition or commas (any)',
    list: true,
  },
  healthcheck: {
    schema: v.optional(onOrOff, true),
    flag: 'no-healthcheck',
    help: "do not register a container's HEALTHCHECK as a check",
  },
  drain: {
    schema: v.optional(onOrOff, true),
    flag: 'no-drain',
    help: 'answer a container until it has exited, not only until it is asked to stop',
  },
} as const satisfies SettingTable;
