// Owns the rows of a container's host configuration, but for mounts and networks.

import type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  HostConfigBlkioWeightDeviceItem,
  HostConfigLogConfig,
  HostConfigUlimit,
  PortBinding,
  RestartPolicy,
  ThrottleDevice,
} from '../../../src/spec/docker/types.gen.ts';
import { body, cli, file, honoured, ignored, type Rows, refused } from './types.ts';

const ENFORCED = file('test/engine/limits.test.ts', 'the kernel enforces ');
const THROTTLED = file('test/engine/limits.test.ts', 'the kernel throttles a block device by ');
const MISSING = file(
  'src/engine/containers/plan/resources.test.ts',
  'a limit that the kernel cannot set is dropped, and the user is told in Docker’s words',
);
const DROPPED = file(
  'test/engine/limits.test.ts',
  'a limit that this kernel lacks is dropped with a warning, and the container runs',
);
const IMPOSSIBLE = file(
  'src/engine/containers/plan/resources.test.ts',
  'what cannot work anywhere is refused, where the kernel could set it or not',
);
const MEMORY = body('limits', 'a memory limit that can never work is refused, not dropped');
const CPU = body('limits', 'a CPU limit that can never work is refused, not dropped');
const CPUSET = body('limits', 'CPUs and memory nodes that are not there are refused');
const PROCESSES = body('limits', 'limits of processes, of the OOM killer and of files are enforced');
const PROCESS = body(
  'identity',
  'the command, its streams, its first process and its words about itself are those of the body',
);
const KEPT = body('modes', 'annotations, sizes and files of clients are kept');
const MODES = body('modes', 'a mode that does not exist is refused');
const SHARED = body('modes', 'a namespace is shared with the container that was meant, whatever it is called later');
const NAME_OF_HOST = body('modes', 'the host’s name is not changed by a container that shares it');
const RESTART = body('modes', 'a restart policy makes sense');
const DEVICES = body('security', 'devices that are not there are not dropped');
const REQUESTS = body('security', 'devices of drivers and makers are refused where there is no driver');
const PRIVILEGED = body('security', 'a privileged container keeps what was asked of it besides');
const CAPABILITIES = body('security', 'capabilities that do not exist are refused');
const NAMES = body('identity', 'names for addresses are checked, and written on every network');
const SERVERS = body('identity', 'name servers are addresses');
const PORTS = body('networks', 'ports make sense');
const LOGS = body('logs', 'log options that Docker takes are taken');
const SHORT_FORM = body('mounts', 'the short form of mounts is read as Docker reads it');
const NO_DRIVER = 'could not select device driver';
const NO_INJECTION = 'CDI device injection failed: unresolvable CDI devices';

export const HOST_CONFIG: Rows<HostConfig> = {
  CpuShares: honoured(CPU, ENFORCED),
  Memory: honoured(MEMORY, ENFORCED),
  CgroupParent: honoured(
    MODES,
    file('test/engine/limits.test.ts', 'a container lies in the cgroup that was asked for'),
  ),
  BlkioWeight: honoured(CPU, DROPPED, IMPOSSIBLE),
  BlkioWeightDevice: honoured(CPU, MISSING),
  BlkioDeviceReadBps: honoured(DEVICES, THROTTLED),
  BlkioDeviceWriteBps: honoured(DEVICES, THROTTLED),
  BlkioDeviceReadIOps: honoured(DEVICES, THROTTLED),
  BlkioDeviceWriteIOps: honoured(DEVICES, THROTTLED),
  CpuPeriod: honoured(CPU, ENFORCED),
  CpuQuota: honoured(CPU, ENFORCED),
  CpuRealtimePeriod: honoured(IMPOSSIBLE),
  CpuRealtimeRuntime: honoured(IMPOSSIBLE),
  CpusetCpus: honoured(CPUSET, ENFORCED),
  CpusetMems: honoured(CPUSET, ENFORCED),
  Devices: honoured(DEVICES, PRIVILEGED),
  DeviceCgroupRules: honoured(
    DEVICES,
    file('test/runtime/containers.test.ts', 'a device is usable only when it was given'),
  ),
  DeviceRequests: refused(NO_DRIVER, REQUESTS),
  KernelMemory: ignored('kept for clients before 1.42; no kernel since 5.16 enforces it', MEMORY),
  KernelMemoryTCP: honoured(ENFORCED),
  MemoryReservation: honoured(MEMORY, ENFORCED),
  MemorySwap: honoured(MEMORY, ENFORCED),
  MemorySwappiness: honoured(MEMORY, ENFORCED),
  NanoCpus: honoured(CPU, ENFORCED),
  OomKillDisable: honoured(ENFORCED, MISSING),
  Init: honoured(PROCESS, cli('run', 'an init process takes the first pid and passes signals on')),
  PidsLimit: honoured(PROCESSES, ENFORCED),
  Ulimits: honoured(PROCESSES),
  CpuCount: ignored('kept and shown; Windows reads it', CPU),
  CpuPercent: ignored('kept and shown; Windows reads it', CPU),
  IOMaximumIOps: refused('QoS maximum IOPs configuration is not supported on linux', CPU),
  IOMaximumBandwidth: refused('QoS maximum bandwidth configuration is not supported on linux', CPU),
  Binds: honoured(SHORT_FORM, cli('run', 'volumes: binds, named, anonymous, read-only')),
  ContainerIDFile: ignored('kept and shown; the client writes the file', KEPT),
  LogConfig: honoured(LOGS),
  NetworkMode: honoured(SHARED, cli('run', 'networks none and host, and another container’s')),
  PortBindings: honoured(PORTS, cli('run', 'published ports are shown')),
  RestartPolicy: honoured(RESTART, cli('run', 'a restart policy restarts')),
  AutoRemove: honoured(RESTART, cli('run', 'a container that removes itself is gone')),
  VolumeDriver: refused(
    'error looking up volume plugin nope: plugin "nope" not found',
    body('mounts', 'volumes that their driver cannot make are refused'),
  ),
  VolumesFrom: honoured(body('mounts', 'mounts of other containers are taken as asked')),
  Mounts: honoured(body('mounts', 'memory file systems are made as asked')),
  ConsoleSize: honoured(KEPT, file('test/runtime/containers.test.ts', 'a terminal is one, with its size and TERM')),
  Annotations: honoured(KEPT, file('src/runtime/bundle/golden.test.ts', 'a container gets what dockerd gives it')),
  CapAdd: honoured(CAPABILITIES, cli('run', 'capabilities are as tight as asked')),
  CapDrop: honoured(CAPABILITIES, cli('run', 'capabilities are as tight as asked')),
  CgroupnsMode: honoured(MODES),
  Dns: honoured(SERVERS, cli('run', 'host name and hosts file')),
  DnsOptions: honoured(SERVERS, cli('run', 'host name and hosts file')),
  DnsSearch: honoured(SERVERS, cli('run', 'host name and hosts file')),
  ExtraHosts: honoured(NAMES),
  GroupAdd: honoured(PROCESS),
  IpcMode: honoured(
    SHARED,
    file(
      'test/engine/sharing.test.ts',
      '--ipc shareable and container:X share /dev/shm, also across a restart of the daemon; private ones refuse',
    ),
  ),
  Cgroup: ignored('kept and shown; nothing reads it', MODES),
  Links: refused(
    'links (--link)',
    file(
      'src/engine/containers/plan/refusals.test.ts',
      'what Docker grants and this engine does not yet have is said, never dropped',
    ),
  ),
  OomScoreAdj: honoured(PROCESSES),
  PidMode: honoured(
    SHARED,
    file('test/engine/sharing.test.ts', '--pid and --network container:X and host see what they are to see'),
  ),
  Privileged: honoured(PRIVILEGED, cli('run', 'the kernel is fenced off by default')),
  PublishAllPorts: honoured(
    PORTS,
    file('src/engine/containers/plan/plan.test.ts', 'ports: bindings, ranges, every exposed port with -P, nonsense'),
  ),
  ReadonlyRootfs: honoured(PRIVILEGED, cli('run', 'a read-only root keeps its writable places')),
  SecurityOpt: honoured(
    body('security', 'a security option that is not understood is refused'),
    body('security', 'cgroups are writable for whom they shall be, and their folder for nobody else'),
  ),
  StorageOpt: refused("--storage-opt is supported only for overlay over xfs with 'pquota' mount option", KEPT),
  Tmpfs: honoured(body('mounts', 'memory file systems are made as asked')),
  UTSMode: honoured(NAME_OF_HOST),
  UsernsMode: ignored('containers of an engine without user namespaces are in the host’s', MODES),
  ShmSize: honoured(PROCESSES),
  Sysctls: honoured(
    body('modes', 'kernel parameters of the container are set, in either spelling'),
    body('modes', 'kernel parameters of the host are out of reach'),
  ),
  Runtime: honoured(PROCESS, MODES),
  Isolation: honoured(MODES),
  MaskedPaths: honoured(PRIVILEGED),
  ReadonlyPaths: honoured(PRIVILEGED),
};

export const WEIGHT_DEVICE: Rows<HostConfigBlkioWeightDeviceItem> = {
  Path: honoured(CPU, MISSING),
  Weight: honoured(CPU, MISSING),
};

export const THROTTLE_DEVICE: Rows<ThrottleDevice> = {
  Path: honoured(DEVICES, THROTTLED),
  Rate: honoured(DEVICES, THROTTLED),
};

export const DEVICE_MAPPING: Rows<DeviceMapping> = {
  PathOnHost: honoured(DEVICES, PRIVILEGED),
  PathInContainer: honoured(DEVICES, PRIVILEGED),
  CgroupPermissions: honoured(
    DEVICES,
    file('test/runtime/containers.test.ts', 'a device is usable only when it was given'),
  ),
};

export const DEVICE_REQUEST: Rows<DeviceRequest> = {
  Driver: refused(NO_DRIVER, REQUESTS),
  Count: refused(NO_DRIVER, REQUESTS),
  DeviceIDs: refused(
    NO_INJECTION,
    REQUESTS,
    file(
      'src/engine/containers/device-requests.test.ts',
      'a CDI device that a specification declares is refused otherwise than one that nobody knows',
    ),
  ),
  Capabilities: refused(NO_DRIVER, REQUESTS),
  Options: refused('unexpected options in CDI device request', REQUESTS),
};

export const ULIMIT: Rows<HostConfigUlimit> = {
  Name: honoured(PROCESSES),
  Soft: honoured(PROCESSES),
  Hard: honoured(PROCESSES),
};

export const LOG_CONFIG: Rows<HostConfigLogConfig> = {
  Type: honoured(LOGS, cli('streams', 'no log driver, no logs')),
  Config: honoured(LOGS, body('logs', 'log options that cannot be honoured are refused')),
};

export const PORT_BINDING: Rows<PortBinding> = {
  HostIp: honoured(
    PORTS,
    file('src/engine/containers/plan/refusals.test.ts', 'a port is never opened on more addresses than were asked for'),
    file(
      'test/networks/traffic.test.ts',
      'a port published on 127.0.0.1 stays there, and containers cannot reach the host’s loopback',
    ),
  ),
  HostPort: honoured(PORTS),
};

export const RESTART_POLICY: Rows<RestartPolicy> = {
  Name: honoured(RESTART, cli('run', 'a restart policy restarts')),
  MaximumRetryCount: honoured(RESTART, cli('run', 'a restart policy restarts')),
};
