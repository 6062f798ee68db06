#!/bin/sh
# Runs first inside a world's new namespaces; "$@" is the command. tini becomes pid 1, so that no zombie stays.
set -e
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock /run/cgroup
mount -t tmpfs tmpfs /etc/docker
mount -t tmpfs tmpfs /var/lib/heddle
# podman's settings, if this world has podman
[ ! -d "$HEDDLE_WORLD/containers" ] || mount --bind "$HEDDLE_WORLD/containers" /etc/containers
# a new sysfs shows the devices of the new network namespace; the control groups stay those of the host
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --move /run/cgroup /sys/fs/cgroup
[ -n "$HEDDLE_WORLD_CGROUP2" ] || exec tini -g -- "$@"

# One hierarchy for all controllers. Its root is a group of this world, which is removed when the world ends.
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
own="/sys/fs/cgroup/$(basename "$HEDDLE_WORLD")"
mkdir "$own"
echo $$ > "$own/cgroup.procs"
exec unshare --cgroup sh -c '
set -e
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# a group with processes of its own cannot delegate controllers
mkdir /sys/fs/cgroup/world
echo $$ > /sys/fs/cgroup/world/cgroup.procs
exec tini -g -- "$@"' sh "$@"
