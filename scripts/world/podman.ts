import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes podman's programs and settings for a world, which mounts the latter at /etc/containers (prepare.sh). */
export function preparePodman(folder: string, bin: string, packages: string): void {
  const usr = join(packages, 'usr');
  // Wrapper scripts, so that no other program of the world uses these libraries.
  for (const program of ['podman', 'conmon']) {
    const script = `#!/bin/sh
export LD_LIBRARY_PATH=${usr}/lib/x86_64-linux-gnu
exec ${usr}/bin/${program} "$@"
`;
    writeFileSync(join(bin, program), script, { mode: 0o755 });
  }
  const settings = join(folder, 'containers');
  mkdirSync(settings);
  // A world has no journal and no systemd. runc, because crun needs CAP_SYS_RESOURCE with cgroup v2. No process limit:
  // it needs a controller that cgroup v1 may occupy.
  const containers = `[containers]
pids_limit = 0
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
conmon_path = ["${bin}/conmon"]
helper_binaries_dir = ["${usr}/lib/podman"]
[engine.runtimes]
runc = ["/usr/sbin/runc", "/usr/bin/runc"]
[network]
network_backend = "netavark"
`;
  const storage = `[storage]
driver = "overlay"
graphroot = "${folder}/podman"
runroot = "/run/containers/storage"
`;
  writeFileSync(join(settings, 'containers.conf'), containers);
  writeFileSync(join(settings, 'storage.conf'), storage);
  writeFileSync(join(settings, 'registries.conf'), 'unqualified-search-registries = []\n');
  writeFileSync(join(settings, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}\n');
}
