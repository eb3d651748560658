// Owns which namespaces, policies and network-dependent options a request may combine. Pure.
// @source dockerd 28.5 for all texts

import type { ErrorCode } from '../../../lib/errors.ts';
import { joinedContainer } from '../../../spec/docker/join-mode.ts';
import type { ContainerConfig, HostConfig } from '../../../spec/docker/types.gen.ts';
import { failure, invalid, notYet } from '../errors.ts';
import { checkSysctls } from './sysctls.ts';

const RESTART_POLICIES = ['', 'no', 'always', 'on-failure', 'unless-stopped'];

/** @throws GantryError, in Docker's words, for modes that do not exist and options that exclude each other */
export function checkModes(config: ContainerConfig, hostConfig: HostConfig): void {
  checkContainerNetwork(config, hostConfig);
  checkHostNamespaces(config, hostConfig);
  checkIsolation(hostConfig);
  checkNames(hostConfig);
  checkRestart(hostConfig);
  checkAnnotations(hostConfig);
  checkSysctls(hostConfig);
  checkDevices(hostConfig);
  checkStorage(hostConfig);
  checkRanges(hostConfig);
}

const conflict = (code: ErrorCode, what: string) => invalid(code, `conflicting options: ${what}`);

/** Who joins another container's network takes it as it is. */
function checkContainerNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  const joined = hostConfig.NetworkMode === 'container' ? '' : joinedContainer(hostConfig.NetworkMode);
  if (joined === undefined) return;
  if (joined === '')
    throw invalid('NETWORK_MODE', 'invalid network mode: invalid container format container:<name|id>');
  if (config.Hostname) throw conflict('HOSTNAME_WITH_CONTAINER_NETWORK', 'hostname and the network mode');
  if (hostConfig.Links?.length) throw linkConflict('container');
  if (hostConfig.Dns?.length) throw conflict('DNS_WITH_CONTAINER_NETWORK', 'dns and the network mode');
  if (hostConfig.ExtraHosts?.length)
    throw conflict('HOSTS_WITH_CONTAINER_NETWORK', 'custom host-to-IP mapping and the network mode');
  if (size(hostConfig.PortBindings) > 0 || hostConfig.PublishAllPorts)
    throw conflict('PORTS_WITH_CONTAINER_NETWORK', 'port publishing and the container type network mode');
  if (size(config.ExposedPorts) > 0)
    throw conflict('PORTS_WITH_CONTAINER_NETWORK', 'port exposing and the container type network mode');
}

function linkConflict(kind: 'container' | 'host'): Error {
  const what = kind === 'host' ? 'host type networking' : 'container type network';
  return conflict('LINKS', `${what} can't be used with links. This would result in undefined behavior`);
}

function checkHostNamespaces(config: ContainerConfig, { UTSMode, NetworkMode, Links }: HostConfig): void {
  if (UTSMode === 'host' && config.Hostname) throw conflict('HOSTNAME_WITH_HOST_UTS', 'hostname and the UTS mode');
  // Docker's runtime sets it by a sysctl, and refuses that at the start: the host's own domain name would change.
  if (UTSMode === 'host' && config.Domainname)
    throw invalid('DOMAIN_WITH_HOST_UTS', 'sysctl "kernel.domainname" is not in a separate kernel namespace');
  if (NetworkMode === 'host' && Links?.length) throw linkConflict('host');
  if (Links?.length) throw notYet('LINKS', 'links (--link)');
}

function checkIsolation({ Isolation = '' }: HostConfig): void {
  if (Isolation === '' || Isolation.toLowerCase() === 'default') return;
  throw invalid('ISOLATION', `invalid isolation (${Isolation}): linux only supports 'default'`);
}

function checkNames(hostConfig: HostConfig): void {
  const { IpcMode = '', PidMode = '', UTSMode = '', CgroupnsMode = '' } = hostConfig;
  if (!/^(|none|host|private|shareable|container:.+)$/s.test(IpcMode))
    throw invalid('IPC_MODE', `invalid IPC mode: ${IpcMode}`);
  if (!/^(|host|container:.+)$/s.test(PidMode)) throw invalid('PID_MODE', `invalid PID mode: ${PidMode}`);
  if (!/^(|host)$/.test(UTSMode)) throw invalid('UTS_MODE', `invalid UTS mode: ${UTSMode}`);
  if (!/^(|host|private)$/.test(CgroupnsMode))
    throw invalid('CGROUPNS_MODE', `invalid cgroup namespace mode: ${CgroupnsMode}`);
}

function checkRestart({ RestartPolicy, AutoRemove }: HostConfig): void {
  const name = RestartPolicy?.Name ?? '';
  const retries = RestartPolicy?.MaximumRetryCount ?? 0;
  if (AutoRemove && name !== '' && name !== 'no')
    throw invalid('AUTO_REMOVE_RESTART', "can't create 'AutoRemove' container with restart policy");
  if (!RESTART_POLICIES.includes(name)) {
    const known = "use one of 'no', 'always', 'on-failure', or 'unless-stopped'";
    throw invalid('RESTART_POLICY', `invalid restart policy: unknown policy '${name}'; ${known}`);
  }
  if (name === 'on-failure') {
    if (retries < 0) throw invalid('RESTART_COUNT', 'invalid restart policy: maximum retry count cannot be negative');
  } else if (retries !== 0) {
    const text = "invalid restart policy: maximum retry count can only be used with 'on-failure'";
    throw invalid('RESTART_COUNT', retries < 0 ? `${text} and cannot be negative` : text);
  }
}

function checkAnnotations({ Annotations }: HostConfig): void {
  if (Object.hasOwn(Annotations ?? {}, '')) {
    const text = 'invalid Annotations: the empty string is not permitted as an annotation key';
    throw invalid('ANNOTATION', text);
  }
}

/** The writable layer lies on a file system that counts for no single container. */
function checkStorage({ StorageOpt }: HostConfig): void {
  for (const name of Object.keys(StorageOpt ?? {})) {
    if (name.toLowerCase() !== 'size') throw failure('STORAGE_OPTION', `Unknown option ${name}`);
    const text = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
    throw failure('STORAGE_OPTION', text, 'this engine sets no quotas yet: limit the file system of its data root');
  }
}

function checkRanges({ OomScoreAdj = 0, ShmSize = 0 }: HostConfig): void {
  if (ShmSize < 0) throw invalid('SHM_SIZE_NEGATIVE', 'SHM size can not be less than 0');
  if (OomScoreAdj < -1000 || OomScoreAdj > 1000)
    throw invalid('OOM_SCORE_RANGE', `Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
}

function checkDevices({ Devices }: HostConfig): void {
  for (const { CgroupPermissions = '' } of Devices ?? []) {
    if (!/^[rwm]*$/.test(CgroupPermissions)) throw invalid('DEVICE_MODE', `bad mode specified: ${CgroupPermissions}`);
  }
}

function size(map: Readonly<Record<string, unknown>> | null | undefined): number {
  return Object.keys(map ?? {}).length;
}
