import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { HEDDLE } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';

const NETWORKD = '/lib/systemd/systemd-networkd';
const EXAMPLES = join(ROOT, 'examples/systemd-networkd');

/** systemd-networkd alone, without the rest of systemd, in a network of its own; with /sys read-only it needs no udev. */
const SCRIPT = `
set -e
ip link set lo up
mount -t tmpfs tmpfs /run
mount -t sysfs -o ro sysfs /sys
mkdir -p /run/systemd/network
cp "$1/weave.network" /run/systemd/network/
"$2" create-bridge
"$3" >/run/log 2>&1 &
tries=0
until ip -o -4 address show dev weave | grep -q inet; do
  tries=$((tries + 1)); [ "$tries" -lt 100 ] || { cat /run/log >&2; exit 1; }
  sleep 0.1
done
ip -o -4 address show dev weave
kill $!`;

describe('the example for systemd-networkd', () => {
  test('gives the bridge its address before anything is attached', async () => {
    const shell = ['sh', '-c', SCRIPT, 'sh', EXAMPLES, HEDDLE, NETWORKD];
    expect(await succeed('unshare', ['--net', '--mount', ...shell])).toContain('inet 10.2.0.1/16 ');
  });

  test('has a unit that systemd-analyze accepts', async () => {
    expect(await succeed('systemd-analyze', ['verify', join(EXAMPLES, 'weave-bridge.service')])).toBe('');
  });
});
