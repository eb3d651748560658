// Owns which kernel parameters a container may set: those of namespaces that are its own. Pure.
// @source dockerd 28.5 with runc 1.3 for the rules and texts; runc refuses at the start

import { dotted } from '../../../runtime/bundle/index.ts';
import type { HostConfig } from '../../../spec/docker/types.gen.ts';
import { failure, invalid } from '../errors.ts';

/** Parameters of the IPC namespace; besides fs.mqueue.*. */
const OF_IPC: ReadonlySet<string> = new Set(
  'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced'.split(' ').map((name) => `kernel.${name}`),
);

/** @throws GantryError for parameters that are the host's, or an interface's */
export function checkSysctls({ Sysctls, NetworkMode, IpcMode, UTSMode }: HostConfig): void {
  for (const written of Object.keys(Sysctls ?? {})) {
    const name = dotted(written);
    const refuse = (why: string) => invalid('SYSCTL', `sysctl "${written}" ${why}`);
    if (name.startsWith('net.')) {
      if (NetworkMode === 'host') throw refuse('not allowed in host network namespace');
      checkInterface(written, name);
    } else if (OF_IPC.has(name) || name.startsWith('fs.mqueue.')) {
      if (IpcMode === 'host') throw refuse('is not allowed in the hosts ipc namespace');
    } else if (name === 'kernel.hostname') {
      throw refuse('is not allowed as it conflicts with the OCI "hostname" field');
    } else if (name !== 'kernel.domainname' || UTSMode === 'host') {
      throw refuse('is not in a separate kernel namespace');
    }
  }
}

/** `net.ipv4.conf.eth0.x`: the interface comes and goes with its endpoint. */
function checkInterface(written: string, name: string): void {
  const [, family, , device = '', setting] = name.split('.');
  if (!family || !/^eth\d+$/.test(device) || setting === undefined) return;
  const option = "must be supplied using driver option 'com.docker.network.endpoint.sysctls'";
  throw failure('INTERFACE_SYSCTL', `interface specific sysctl setting "${written}" ${option}`);
}
