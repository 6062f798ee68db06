import * as v from 'valibot';
import { parseNetwork } from '../ipam/pool.ts';
import type { SettingTable } from './setting.ts';
import { deviceName, onOrOff, text, whole } from './value-types.ts';

/** The bridge, its addresses, and the containers' interfaces. */
export const NETWORK_SETTINGS = {
  dockerBridge: {
    schema: v.optional(deviceName),
    flag: 'docker-bridge',
    value: 'device',
    help: "the bridge whose address containers use as DNS server (Docker's own, as Docker reports it)",
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
    help: 'the name of the interface inside a container',
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
    help: 'do not attach containers with heddle.cidr or WEAVE_CIDR; only read their addresses',
  },
  ipallocRange: {
    schema: v.optional(v.pipe(text, v.transform(parseNetwork)), '10.32.0.0/12'),
    flag: 'ipalloc-range',
    value: 'network',
    help: 'the range that addresses are allocated from; the same on all hosts of a network',
  },
  ipallocDefaultSubnet: {
    schema: v.optional(v.pipe(text, v.transform(parseNetwork))),
    flag: 'ipalloc-default-subnet',
    value: 'network',
    help: 'the subnet of net:default, inside the range (the whole range)',
  },
  allowOverlap: {
    schema: v.optional(onOrOff, false),
    flag: 'allow-overlap',
    help: 'allow addresses in networks that this host or the container already reaches; those networks become unreachable',
  },
} as const satisfies SettingTable;
