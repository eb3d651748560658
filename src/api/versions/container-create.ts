// Owns how a create body of an older version becomes the newest one's. Pure; fills nothing that the newest version leaves open.

import { GantryError } from '../../lib/errors.ts';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { ContainerCreateRequest, EndpointSettings, HostConfig, Mount } from '../../spec/docker/types.gen.ts';

type Step = { readonly below: number; readonly change: (body: ContainerCreateRequest) => ContainerCreateRequest };

/** @source moby v28.5 api/server/router/container, postContainersCreate */
const STEPS: readonly Step[] = [
  { below: 25, change: host({ AutoRemove: false }) },
  { below: 40, change: sharedIpc },
  { below: 40, change: mounts((mount) => bindOptions(mount, { NonRecursive: false })) },
  { below: 40, change: host({ KernelMemoryTCP: 0 }) },
  { below: 42, change: mounts(withoutForeignOptions) },
  { below: 42, change: host({ ConsoleSize: undefined }) },
  { below: 43, change: host({ Annotations: undefined }) },
  { below: 44, change: oneNetwork },
  { below: 44, change: withoutStartInterval },
  {
    below: 44,
    change: mounts((mount) =>
      bindOptions(mount, { ReadOnlyNonRecursive: mount.ReadOnly === true, ReadOnlyForceRecursive: false }),
    ),
  },
  { below: 44, change: containerWideMac },
  { below: 45, change: mounts(withoutSubpath) },
  { below: 48, change: endpoints((endpoint) => ({ ...endpoint, GwPriority: 0 })) },
];

/** The body in 1.51's words. @throws INVALID_REQUEST for several networks before 1.44 */
export function upgradeContainerCreate(minor: number, body: ContainerCreateRequest): ContainerCreateRequest {
  return STEPS.reduce((now, step) => (minor < step.below ? step.change(now) : now), body);
}

function host(fields: Partial<HostConfig>): Step['change'] {
  return (body) => (body.HostConfig === undefined ? body : { ...body, HostConfig: { ...body.HostConfig, ...fields } });
}

function mounts(change: (mount: Mount) => Mount): Step['change'] {
  return (body) => {
    const list = body.HostConfig?.Mounts;
    return list === undefined ? body : { ...body, HostConfig: { ...body.HostConfig, Mounts: list.map(change) } };
  };
}

function endpoints(change: (endpoint: EndpointSettings) => EndpointSettings): Step['change'] {
  return (body) => {
    const config = body.NetworkingConfig?.EndpointsConfig;
    if (config === undefined) return body;
    const changed = Object.entries(config).map(([name, endpoint]) => [name, change(endpoint)]);
    return { ...body, NetworkingConfig: { EndpointsConfig: Object.fromEntries(changed) } };
  };
}

function bindOptions(mount: Mount, fields: NonNullable<Mount['BindOptions']>): Mount {
  return mount.BindOptions === undefined ? mount : { ...mount, BindOptions: { ...mount.BindOptions, ...fields } };
}

/** Older clients expect to share the IPC namespace. */
function sharedIpc(body: ContainerCreateRequest): ContainerCreateRequest {
  if (body.HostConfig?.IpcMode) return body;
  return { ...body, HostConfig: { ...body.HostConfig, IpcMode: 'shareable' } };
}

function withoutForeignOptions(mount: Mount): Mount {
  return {
    ...mount,
    VolumeOptions: mount.Type === 'volume' ? mount.VolumeOptions : undefined,
    TmpfsOptions: mount.Type === 'tmpfs' ? mount.TmpfsOptions : undefined,
    BindOptions:
      mount.Type === 'bind' ? mount.BindOptions && { ...mount.BindOptions, CreateMountpoint: false } : undefined,
  };
}

function withoutStartInterval(body: ContainerCreateRequest): ContainerCreateRequest {
  if (body.Healthcheck === undefined) return body;
  return { ...body, Healthcheck: { ...body.Healthcheck, StartInterval: undefined } };
}

function withoutSubpath(mount: Mount): Mount {
  if (mount.VolumeOptions === undefined) return mount;
  return { ...mount, VolumeOptions: { ...mount.VolumeOptions, Subpath: undefined } };
}

function oneNetwork(body: ContainerCreateRequest): ContainerCreateRequest {
  const names = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
  if (names.length > 1) {
    const message = `Container cannot be created with multiple network endpoints: ${names.join(', ')}`;
    throw new GantryError('invalid', 'INVALID_REQUEST', message);
  }
  return body;
}

/** Before 1.44 the address stood in the config and nowhere else. */
function containerWideMac(body: ContainerCreateRequest): ContainerCreateRequest {
  const mac = body.MacAddress ?? '';
  if (mac !== '' && !hasOwnLink(networkName(body))) throw macConflict();
  const set = endpoints((endpoint) => ({ ...endpoint, MacAddress: mac === '' ? undefined : mac }))(body);
  if (mac === '' || Object.keys(set.NetworkingConfig?.EndpointsConfig ?? {}).length > 0) return set;
  const network = networkName(body);
  return { ...set, NetworkingConfig: { EndpointsConfig: { [network]: { MacAddress: mac } } } };
}

/** False for who uses the links of others. */
function hasOwnLink(network: string): boolean {
  return network !== 'host' && joinedContainer(network) === undefined;
}

function macConflict(): GantryError {
  return new GantryError('invalid', 'INVALID_REQUEST', 'conflicting options: mac-address and the network mode');
}

function networkName(body: ContainerCreateRequest): string {
  const mode = body.HostConfig?.NetworkMode ?? '';
  return mode === '' || mode === 'default' ? 'bridge' : mode;
}

/** What the newest version still takes from old habits: the words to warn with, and the body without them. */
export function settleCreate(
  body: ContainerCreateRequest,
  minor: number,
): { body: ContainerCreateRequest; warnings: string[] } {
  const warnings: string[] = [];
  let settled = body;
  const limit = body.HostConfig?.PidsLimit;
  if (typeof limit === 'number' && limit <= 0)
    settled = { ...settled, HostConfig: { ...settled.HostConfig, PidsLimit: null } };
  if (settled.HostConfig?.KernelMemory && minor >= 42)
    settled = { ...settled, HostConfig: { ...settled.HostConfig, KernelMemory: undefined } };
  if (settled.MacAddress && minor >= 44) {
    settled = moveMac(settled, settled.MacAddress);
    warnings.push(
      'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
    );
  }
  return { body: settled, warnings };
}

function moveMac(body: ContainerCreateRequest, mac: string): ContainerCreateRequest {
  const network = networkName(body);
  const config = body.NetworkingConfig?.EndpointsConfig ?? {};
  // Docker warns, and gives the address to nobody.
  if (network === 'none' || !hasOwnLink(network)) return { ...body, MacAddress: undefined };
  const endpoint = config[network] ?? {};
  if (endpoint.MacAddress && endpoint.MacAddress !== mac) {
    const message =
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty';
    throw new GantryError('invalid', 'INVALID_REQUEST', message);
  }
  const EndpointsConfig = { ...config, [network]: { ...endpoint, MacAddress: mac } };
  return { ...body, MacAddress: undefined, NetworkingConfig: { EndpointsConfig } };
}
