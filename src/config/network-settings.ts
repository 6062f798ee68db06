import * as v from 'valibot';
import { parseNetwork } from '../ipam/pool.ts';
import { deviceName, onOrOff, text, whole } from './forms.ts';
import type { SettingTable } from './setting.ts';

/** The bridge, its addresses, and the interfaces of containers on it. */
export const NETWORK_SETTINGS = {
  dockerBridge: {
    schema: v.optional(deviceName),
    flag: 'docker-bridge',
    value: 'device',
    help: "the bridge whose address containers ask (Docker's own, as Docker reports it)",
    env: ['DOCKER_BRIDGE'],
  },
  bridge: {
    schema: v.optional(deviceName, 'weave'),
    flag: 'bridge',
    value: 'device',
    help: 'the bridge that containers are attached to',
  },
  interface: {
    schema: v.optional(deviceName, 'ethwe'),
    flag: 'interface',
    value: 'device',
    help: 'the name of its interface inside a container',
  },
  mtu: {
    schema: v.optional(whole(576, 65_535), 1450),
    flag: 'mtu',
    value: 'bytes',
    help: 'MTU of the bridge and of every interface on it',
    env: ['WEAVE_MTU'],
  },
  attach: {
    schema: v.optional(onOrOff, true),
    flag: 'no-attach',
    help: 'do not attach containers by their own heddle.cidr or WEAVE_CIDR; only read',
  },
  ipallocRange: {
    schema: v.optional(v.pipe(text, v.transform(parseNetwork)), '10.32.0.0/12'),
    flag: 'ipalloc-range',
    value: 'network',
    help: 'where addresses are allocated from; the same on all hosts of a network',
  },
  ipallocDefaultSubnet: {
    schema: v.optional(v.pipe(text, v.transform(parseNetwork))),
    flag: 'ipalloc-default-subnet',
    value: 'network',
    help: 'what net:default means, inside the range (the whole range)',
  },
  allowOverlap: {
    schema: v.optional(onOrOff, false),
    flag: 'allow-overlap',
    help: 'give addresses in networks that this host or the container reaches otherwise, and cut those off',
  },
} as const satisfies SettingTable;
