// Owns the table of all fields of request bodies that make and change containers, by schema. fields.test.ts holds it to its word.

import { CONTAINER, HEALTH_CHECK } from './container.ts';
import { EXEC_CREATE, EXEC_START } from './execs.ts';
import {
  DEVICE_MAPPING,
  DEVICE_REQUEST,
  HOST_CONFIG,
  LOG_CONFIG,
  PORT_BINDING,
  RESTART_POLICY,
  THROTTLE_DEVICE,
  ULIMIT,
  WEIGHT_DEVICE,
} from './host-config.ts';
import {
  BIND_OPTIONS,
  IMAGE_OPTIONS,
  MOUNT,
  TMPFS_OPTIONS,
  VOLUME_CREATE,
  VOLUME_DRIVER,
  VOLUME_OPTIONS,
} from './mounts.ts';
import {
  ENDPOINT,
  ENDPOINT_IPAM,
  NETWORK_CONNECT,
  NETWORK_CREATE,
  NETWORK_DISCONNECT,
  NETWORKING,
} from './networks.ts';
import type { Part } from './types.ts';

/** Bodies; whatever they are made of is in the table too. */
export const BODIES = [
  'ContainerCreateRequest',
  'ContainerUpdateRequest',
  'ExecCreateRequest',
  'ExecStartRequest',
  'NetworkCreateRequest',
  'NetworkConnectRequest',
  'NetworkDisconnectRequest',
  'VolumeCreateOptions',
] as const;

/** By name of the schema in src/spec/docker/schema.json. */
export const FIELDS: Readonly<Record<string, Part>> = {
  ContainerCreateRequest: CONTAINER,
  HealthConfig: HEALTH_CHECK,
  HostConfig: HOST_CONFIG,
  HostConfigBlkioWeightDeviceItem: WEIGHT_DEVICE,
  ThrottleDevice: THROTTLE_DEVICE,
  DeviceMapping: DEVICE_MAPPING,
  DeviceRequest: DEVICE_REQUEST,
  HostConfigUlimit: ULIMIT,
  HostConfigLogConfig: LOG_CONFIG,
  PortBinding: PORT_BINDING,
  RestartPolicy: RESTART_POLICY,
  Mount: MOUNT,
  MountBindOptions: BIND_OPTIONS,
  MountVolumeOptions: VOLUME_OPTIONS,
  MountVolumeOptionsDriverConfig: VOLUME_DRIVER,
  MountImageOptions: IMAGE_OPTIONS,
  MountTmpfsOptions: TMPFS_OPTIONS,
  NetworkingConfig: NETWORKING,
  EndpointSettings: ENDPOINT,
  EndpointIPAMConfig: ENDPOINT_IPAM,
  ContainerUpdateRequest: { endpoint: 'POST /containers/x/update' },
  ExecCreateRequest: EXEC_CREATE,
  ExecStartRequest: EXEC_START,
  NetworkCreateRequest: NETWORK_CREATE,
  NetworkConnectRequest: NETWORK_CONNECT,
  NetworkDisconnectRequest: NETWORK_DISCONNECT,
  VolumeCreateOptions: VOLUME_CREATE,
};
