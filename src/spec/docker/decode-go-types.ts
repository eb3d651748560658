// Owns the names that Go's types have in Docker's decode errors, where they are not plain from the schema. A table.

/** Request bodies: the Go type of the whole, and what stands before the first dot of a field's path. */
export const BODIES = {
  ContainerCreateRequest: { type: 'container.CreateRequest', prefix: '' },
  ContainerUpdateRequest: { type: 'container.UpdateConfig', prefix: 'UpdateConfig' },
  ExecCreateRequest: { type: 'container.ExecOptions', prefix: 'ExecOptions' },
  ExecStartRequest: { type: 'container.ExecStartOptions', prefix: 'ExecStartOptions' },
  VolumeCreateOptions: { type: 'volume.CreateOptions', prefix: 'CreateOptions' },
  NetworkCreateRequest: { type: 'network.CreateRequest', prefix: 'CreateRequest' },
  NetworkConnectRequest: { type: 'network.ConnectOptions', prefix: 'ConnectOptions' },
  NetworkDisconnectRequest: { type: 'network.DisconnectOptions', prefix: 'DisconnectOptions' },
  AuthConfig: { type: 'registry.AuthConfig', prefix: '' },
} as const;

/** Schema name → Go type. */
export const STRUCTS: Readonly<Record<string, string>> = {
  HostConfig: 'container.HostConfig',
  HostConfigLogConfig: 'container.LogConfig',
  RestartPolicy: 'container.RestartPolicy',
  DeviceMapping: 'container.DeviceMapping',
  DeviceRequest: 'container.DeviceRequest',
  HostConfigUlimit: 'units.Ulimit',
  HostConfigBlkioWeightDeviceItem: 'blkiodev.WeightDevice',
  ThrottleDevice: 'blkiodev.ThrottleDevice',
  Mount: 'mount.Mount',
  MountBindOptions: 'mount.BindOptions',
  MountVolumeOptions: 'mount.VolumeOptions',
  MountVolumeOptionsDriverConfig: 'mount.Driver',
  MountTmpfsOptions: 'mount.TmpfsOptions',
  MountImageOptions: 'mount.ImageOptions',
  HealthConfig: 'v1.HealthcheckConfig',
  NetworkingConfig: 'network.NetworkingConfig',
  EndpointSettings: 'network.EndpointSettings',
  EndpointIPAMConfig: 'network.EndpointIPAMConfig',
  IPAM: 'network.IPAM',
  IPAMConfig: 'network.IPAMConfig',
  ConfigReference: 'network.ConfigReference',
  PortBinding: 'nat.PortBinding',
};

/** Schemas whose Go type stands behind a pointer in lists and maps. */
export const POINTERS: ReadonlySet<string> = new Set([
  'EndpointSettings',
  'HostConfigUlimit',
  'HostConfigBlkioWeightDeviceItem',
  'ThrottleDevice',
]);

/** `Schema.Field` → Go type, where the schema's word is wider or Go gives the type a name of its own. */
export const FIELDS: Readonly<Record<string, string>> = {
  'ContainerCreateRequest.ExposedPorts': 'nat.PortSet',
  'ContainerCreateRequest.StopTimeout': 'int',
  'HostConfig.PortBindings': 'nat.PortMap',
  'HostConfig.NetworkMode': 'container.NetworkMode',
  'HostConfig.CgroupnsMode': 'container.CgroupnsMode',
  'HostConfig.IpcMode': 'container.IpcMode',
  'HostConfig.PidMode': 'container.PidMode',
  'HostConfig.UTSMode': 'container.UTSMode',
  'HostConfig.UsernsMode': 'container.UsernsMode',
  'HostConfig.Cgroup': 'container.CgroupSpec',
  'HostConfig.Isolation': 'container.Isolation',
  'HostConfig.CpuShares': 'int64',
  'HostConfig.BlkioWeight': 'uint16',
  'HostConfig.MemorySwappiness': 'int64',
  'HostConfig.IOMaximumIOps': 'uint64',
  'HostConfig.IOMaximumBandwidth': 'uint64',
  'HostConfig.ConsoleSize': '[2]uint',
  'ExecCreateRequest.ConsoleSize': '[2]uint',
  'ExecStartRequest.ConsoleSize': '[2]uint',
  'HostConfigBlkioWeightDeviceItem.Weight': 'uint16',
  'HostConfigUlimit.Soft': 'int64',
  'HostConfigUlimit.Hard': 'int64',
  'ThrottleDevice.Rate': 'uint64',
  'RestartPolicy.Name': 'container.RestartPolicyMode',
  'Mount.Type': 'mount.Type',
  'Mount.Consistency': 'mount.Consistency',
  'MountBindOptions.Propagation': 'mount.Propagation',
  'MountTmpfsOptions.SizeBytes': 'int64',
  'MountTmpfsOptions.Mode': 'fs.FileMode',
  'Mount.ClusterOptions': 'mount.ClusterOptions',
  'VolumeCreateOptions.ClusterVolumeSpec': 'volume.ClusterVolumeSpec',
  'HealthConfig.Interval': 'time.Duration',
  'HealthConfig.Timeout': 'time.Duration',
  'HealthConfig.StartPeriod': 'time.Duration',
  'HealthConfig.StartInterval': 'time.Duration',
  'EndpointSettings.GwPriority': 'int',
  'EndpointSettings.GlobalIPv6PrefixLen': 'int',
};

/** `Schema.Field`s that take one string or an array of them, whatever the schema says. */
export const STRING_OR_ARRAY: ReadonlySet<string> = new Set(['HostConfig.CapAdd', 'HostConfig.CapDrop']);

/** Schema primitives → Go type. */
export const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  integer: 'int',
  int64: 'int64',
  uint64: 'uint64',
  uint32: 'uint32',
  uint16: 'uint16',
  uint8: 'uint8',
  object: 'struct {}',
};
