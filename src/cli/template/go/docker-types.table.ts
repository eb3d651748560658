// Owns the Go types behind Docker's formats, as data: what fields a template finds, in which order they print, and what JSON leaves out.

/**
 * One type after another, a field a line: `Name[:key in JSON][?] type`, `?` standing for omitempty, `+type` for an embedded
 * struct; `name = type` is a type of another's kind.
 * @source docker 28.2.2, read through `%#v`, `%T` and `json` of its templates
 */
export const DOCKER_TYPES = `
blkiodev.ThrottleDevice
  Path string
  Rate uint64
blkiodev.WeightDevice
  Path string
  Weight uint16
command.DockerContext
  Description? string
  AdditionalFields:- map[string]interface {}
container.CgroupSpec = string
container.CgroupnsMode = string
container.Config
  Hostname string
  Domainname string
  User string
  AttachStdin bool
  AttachStdout bool
  AttachStderr bool
  ExposedPorts? nat.PortSet
  Tty bool
  OpenStdin bool
  StdinOnce bool
  Env []string
  Cmd strslice.StrSlice
  Healthcheck? *v1.HealthcheckConfig
  ArgsEscaped? bool
  Image string
  Volumes map[string]struct {}
  WorkingDir string
  Entrypoint strslice.StrSlice
  NetworkDisabled? bool
  MacAddress? string
  OnBuild []string
  Labels map[string]string
  StopSignal? string
  StopTimeout? *int
  Shell? strslice.StrSlice
container.ContainerJSONBase
  ID:Id string
  Created string
  Path string
  Args []string
  State *container.State
  Image string
  ResolvConfPath string
  HostnamePath string
  HostsPath string
  LogPath string
  Name string
  RestartCount int
  Driver string
  Platform string
  MountLabel string
  ProcessLabel string
  AppArmorProfile string
  ExecIDs []string
  HostConfig *container.HostConfig
  GraphDriver storage.DriverData
  SizeRw? *int64
  SizeRootFs? *int64
container.DefaultNetworkSettings
  EndpointID string
  Gateway string
  GlobalIPv6Address string
  GlobalIPv6PrefixLen int
  IPAddress string
  IPPrefixLen int
  IPv6Gateway string
  MacAddress string
container.DeviceMapping
  PathOnHost string
  PathInContainer string
  CgroupPermissions string
container.DeviceRequest
  Driver string
  Count int
  DeviceIDs []string
  Capabilities [][]string
  Options map[string]string
container.Health
  Status string
  FailingStreak int
  Log []*container.HealthcheckResult
container.HealthcheckResult
  Start time.Time
  End time.Time
  ExitCode int
  Output string
container.HostConfig
  Binds []string
  ContainerIDFile string
  LogConfig container.LogConfig
  NetworkMode container.NetworkMode
  PortBindings nat.PortMap
  RestartPolicy container.RestartPolicy
  AutoRemove bool
  VolumeDriver string
  VolumesFrom []string
  ConsoleSize [2]uint
  Annotations? map[string]string
  CapAdd strslice.StrSlice
  CapDrop strslice.StrSlice
  CgroupnsMode container.CgroupnsMode
  DNS:Dns []string
  DNSOptions:DnsOptions []string
  DNSSearch:DnsSearch []string
  ExtraHosts []string
  GroupAdd []string
  IpcMode container.IpcMode
  Cgroup container.CgroupSpec
  Links []string
  OomScoreAdj int
  PidMode container.PidMode
  Privileged bool
  PublishAllPorts bool
  ReadonlyRootfs bool
  SecurityOpt []string
  StorageOpt? map[string]string
  Tmpfs? map[string]string
  UTSMode container.UTSMode
  UsernsMode container.UsernsMode
  ShmSize int64
  Sysctls? map[string]string
  Runtime? string
  Isolation container.Isolation
  +container.Resources
  Mounts? []mount.Mount
  MaskedPaths []string
  ReadonlyPaths []string
  Init? *bool
container.InspectResponse
  +*container.ContainerJSONBase
  Mounts []container.MountPoint
  Config *container.Config
  NetworkSettings *container.NetworkSettings
  ImageManifestDescriptor? *v1.Descriptor
container.IpcMode = string
container.Isolation = string
container.LogConfig
  Type string
  Config map[string]string
container.MountPoint
  Type? mount.Type
  Name? string
  Source string
  Destination string
  Driver? string
  Mode string
  RW bool
  Propagation mount.Propagation
container.NetworkMode = string
container.NetworkSettings
  +container.NetworkSettingsBase
  +container.DefaultNetworkSettings
  Networks map[string]*network.EndpointSettings
container.NetworkSettingsBase
  Bridge string
  SandboxID string
  SandboxKey string
  Ports nat.PortMap
  HairpinMode bool
  LinkLocalIPv6Address string
  LinkLocalIPv6PrefixLen int
  SecondaryIPAddresses []network.Address
  SecondaryIPv6Addresses []network.Address
container.PidMode = string
container.Resources
  CPUShares:CpuShares int64
  Memory int64
  NanoCPUs:NanoCpus int64
  CgroupParent string
  BlkioWeight uint16
  BlkioWeightDevice []*blkiodev.WeightDevice
  BlkioDeviceReadBps []*blkiodev.ThrottleDevice
  BlkioDeviceWriteBps []*blkiodev.ThrottleDevice
  BlkioDeviceReadIOps []*blkiodev.ThrottleDevice
  BlkioDeviceWriteIOps []*blkiodev.ThrottleDevice
  CPUPeriod:CpuPeriod int64
  CPUQuota:CpuQuota int64
  CPURealtimePeriod:CpuRealtimePeriod int64
  CPURealtimeRuntime:CpuRealtimeRuntime int64
  CpusetCpus string
  CpusetMems string
  Devices []container.DeviceMapping
  DeviceCgroupRules []string
  DeviceRequests []container.DeviceRequest
  KernelMemory? int64
  KernelMemoryTCP? int64
  MemoryReservation int64
  MemorySwap int64
  MemorySwappiness *int64
  OomKillDisable *bool
  PidsLimit *int64
  Ulimits []*units.Ulimit
  CPUCount:CpuCount int64
  CPUPercent:CpuPercent int64
  IOMaximumIOps uint64
  IOMaximumBandwidth uint64
container.RestartPolicy
  Name container.RestartPolicyMode
  MaximumRetryCount int
container.RestartPolicyMode = string
container.State
  Status string
  Running bool
  Paused bool
  Restarting bool
  OOMKilled bool
  Dead bool
  Pid int
  ExitCode int
  Error string
  StartedAt string
  FinishedAt string
  Health? *container.Health
container.UTSMode = string
container.UsernsMode = string
context.contextWithTLSListing
  +store.Metadata
  TLSMaterial map[string]store.EndpointFiles
  Storage store.StorageInfo
digest.Digest = string
events.Action = string
events.Actor
  ID string
  Attributes map[string]string
events.Message
  Status:status? string
  ID:id? string
  From:from? string
  Type events.Type
  Action events.Action
  Actor events.Actor
  Scope:scope? string
  Time:time? int64
  TimeNano:timeNano? int64
events.Type = string
fs.FileMode = uint32
image.AttestationProperties
  For digest.Digest
image.ImageProperties
  Platform v1.Platform
  Size struct { Unpacked int64 "json:\\"Unpacked\\"" }
  Containers []string
image.InspectResponse
  ID:Id string
  RepoTags []string
  RepoDigests []string
  Parent string
  Comment string
  Created? string
  Container? string
  ContainerConfig? *container.Config
  DockerVersion string
  Author string
  Config *v1.DockerOCIImageConfig
  Architecture string
  Variant? string
  Os string
  OsVersion? string
  Size int64
  VirtualSize? int64
  GraphDriver storage.DriverData
  RootFS image.RootFS
  Metadata image.Metadata
  Descriptor? *v1.Descriptor
  Manifests? []image.ManifestSummary
image.ManifestKind = string
image.ManifestSummary
  ID string
  Descriptor v1.Descriptor
  Available bool
  Size struct { Content int64 "json:\\"Content\\""; Total int64 "json:\\"Total\\"" }
  Kind image.ManifestKind
  ImageData? *image.ImageProperties
  AttestationData? *image.AttestationProperties
image.Metadata
  LastTagTime time.Time
image.RootFS
  Type? string
  Layers? []string
manager.Plugin
  SchemaVersion? string
  Vendor? string
  Version? string
  ShortDescription? string
  URL? string
  Name? string
  Path? string
  ShadowedPaths? []string
mount.BindOptions
  Propagation? mount.Propagation
  NonRecursive? bool
  CreateMountpoint? bool
  ReadOnlyNonRecursive? bool
  ReadOnlyForceRecursive? bool
mount.ClusterOptions
mount.Consistency = string
mount.Driver
  Name? string
  Options? map[string]string
mount.ImageOptions
  Subpath? string
mount.Mount
  Type? mount.Type
  Source? string
  Target? string
  ReadOnly? bool
  Consistency? mount.Consistency
  BindOptions? *mount.BindOptions
  VolumeOptions? *mount.VolumeOptions
  ImageOptions? *mount.ImageOptions
  TmpfsOptions? *mount.TmpfsOptions
  ClusterOptions? *mount.ClusterOptions
mount.Propagation = string
mount.TmpfsOptions
  SizeBytes? int64
  Mode? fs.FileMode
  Options? [][]string
mount.Type = string
mount.VolumeOptions
  NoCopy? bool
  Labels? map[string]string
  Subpath? string
  DriverConfig? *mount.Driver
nat.Port = string
nat.PortBinding
  HostIP:HostIp string
  HostPort string
nat.PortMap = map[nat.Port][]nat.PortBinding
nat.PortSet = map[nat.Port]struct {}
network.Address
  Addr string
  PrefixLen int
network.ConfigReference
  Network string
network.EndpointIPAMConfig
  IPv4Address? string
  IPv6Address? string
  LinkLocalIPs? []string
network.EndpointResource
  Name string
  EndpointID string
  MacAddress string
  IPv4Address string
  IPv6Address string
network.EndpointSettings
  IPAMConfig *network.EndpointIPAMConfig
  Links []string
  Aliases []string
  MacAddress string
  DriverOpts map[string]string
  GwPriority int
  NetworkID string
  EndpointID string
  Gateway string
  IPAddress string
  IPPrefixLen int
  IPv6Gateway string
  GlobalIPv6Address string
  GlobalIPv6PrefixLen int
  DNSNames []string
network.IPAM
  Driver string
  Options map[string]string
  Config []network.IPAMConfig
network.IPAMConfig
  Subnet? string
  IPRange? string
  Gateway? string
  AuxAddress:AuxiliaryAddresses? map[string]string
network.Inspect
  Name string
  ID:Id string
  Created time.Time
  Scope string
  Driver string
  EnableIPv4 bool
  EnableIPv6 bool
  IPAM network.IPAM
  Internal bool
  Attachable bool
  Ingress bool
  ConfigFrom network.ConfigReference
  ConfigOnly bool
  Containers map[string]network.EndpointResource
  Options map[string]string
  Labels map[string]string
  Peers? []network.PeerInfo
  Services? map[string]network.ServiceInfo
network.PeerInfo
  Name string
  IP string
network.ServiceInfo
  VIP string
  Ports []string
  LocalLBIndex int
  Tasks []network.Task
network.Task
  Name string
  EndpointID string
  EndpointIP string
  Info map[string]string
registry.IndexInfo
  Name string
  Mirrors []string
  Secure bool
  Official bool
registry.NetIPNet = string
registry.ServiceConfig
  AllowNondistributableArtifactsCIDRs []*registry.NetIPNet
  AllowNondistributableArtifactsHostnames []string
  InsecureRegistryCIDRs []*registry.NetIPNet
  IndexConfigs map[string]*registry.IndexInfo
  Mirrors []string
  ExtraFields map[string]interface {}
storage.DriverData
  Data map[string]string
  Name string
store.EndpointFiles = []string
store.Metadata
  Name string
  Metadata command.DockerContext
  Endpoints map[string]interface {}
store.StorageInfo
  MetadataPath string
  TLSPath string
strslice.StrSlice = []string
struct { Content int64 "json:\\"Content\\""; Total int64 "json:\\"Total\\"" }
  Content int64
  Total int64
struct { Name string }
  Name string
struct { Unpacked int64 "json:\\"Unpacked\\"" }
  Unpacked int64
struct {}
swarm.ClusterInfo
  ID string
swarm.DiscreteGenericResource
  Kind? string
  Value? int64
swarm.GenericResource
  NamedResourceSpec? *swarm.NamedGenericResource
  DiscreteResourceSpec? *swarm.DiscreteGenericResource
swarm.Info
  NodeID string
  NodeAddr string
  LocalNodeState swarm.LocalNodeState
  ControlAvailable bool
  Error string
  RemoteManagers []swarm.Peer
  Nodes? int
  Managers? int
  Cluster? *swarm.ClusterInfo
  Warnings? []string
swarm.LocalNodeState = string
swarm.NamedGenericResource
  Kind? string
  Value? string
swarm.Peer
  NodeID string
  Addr string
system.Commit
  ID string
  Expected? string
system.ContainerdInfo
  Address string
  Namespaces system.ContainerdNamespaces
system.ContainerdNamespaces
  Containers string
  Plugins string
system.DeviceInfo
  Source string
  ID string
system.FirewallInfo
  Driver string
  Info? [][2]string
system.Info
  ID string
  Containers int
  ContainersRunning int
  ContainersPaused int
  ContainersStopped int
  Images int
  Driver string
  DriverStatus [][2]string
  SystemStatus? [][2]string
  Plugins system.PluginsInfo
  MemoryLimit bool
  SwapLimit bool
  KernelMemory? bool
  KernelMemoryTCP? bool
  CPUCfsPeriod:CpuCfsPeriod bool
  CPUCfsQuota:CpuCfsQuota bool
  CPUShares bool
  CPUSet bool
  PidsLimit bool
  IPv4Forwarding bool
  Debug bool
  NFd int
  OomKillDisable bool
  NGoroutines int
  SystemTime string
  LoggingDriver string
  CgroupDriver string
  CgroupVersion? string
  NEventsListener int
  KernelVersion string
  OperatingSystem string
  OSVersion string
  OSType string
  Architecture string
  IndexServerAddress string
  RegistryConfig *registry.ServiceConfig
  NCPU int
  MemTotal int64
  GenericResources []swarm.GenericResource
  DockerRootDir string
  HTTPProxy:HttpProxy string
  HTTPSProxy:HttpsProxy string
  NoProxy string
  Name string
  Labels []string
  ExperimentalBuild bool
  ServerVersion string
  Runtimes map[string]system.RuntimeWithStatus
  DefaultRuntime string
  Swarm swarm.Info
  LiveRestoreEnabled bool
  Isolation container.Isolation
  InitBinary string
  ContainerdCommit system.Commit
  RuncCommit system.Commit
  InitCommit system.Commit
  SecurityOptions []string
  ProductLicense? string
  DefaultAddressPools? []system.NetworkAddressPool
  FirewallBackend? *system.FirewallInfo
  CDISpecDirs []string
  DiscoveredDevices? []system.DeviceInfo
  Containerd? *system.ContainerdInfo
  Warnings []string
system.NetworkAddressPool
  Base string
  Size int
system.PluginsInfo
  Volume []string
  Network []string
  Authorization []string
  Log []string
system.Runtime
  Path:path? string
  Args:runtimeArgs? []string
  Type:runtimeType? string
  Options:options? map[string]interface {}
system.RuntimeWithStatus
  +system.Runtime
  Status:status? map[string]string
system.clientInfo
  Debug bool
  +clientVersion system.clientVersion
  Plugins []manager.Plugin
  Warnings []string
system.clientVersion
  Platform? *system.platformInfo
  Version string
  APIVersion:ApiVersion? string
  DefaultAPIVersion string
  GitCommit string
  GoVersion string
  Os string
  Arch string
  BuildTime string
  Context string
system.dockerInfo
  +*system.Info
  ServerErrors? []string
  UserName:- string
  ClientInfo? *system.clientInfo
  ClientErrors? []string
system.platformInfo
  Name? string
system.versionInfo
  Client system.clientVersion
  Server *types.Version
time.Duration = int64
types.ComponentVersion
  Name string
  Version string
  Details? map[string]string
types.Version
  Platform struct { Name string }
  Components? []types.ComponentVersion
  Version string
  APIVersion:ApiVersion string
  MinAPIVersion? string
  GitCommit string
  GoVersion string
  Os string
  Arch string
  KernelVersion? string
  Experimental? bool
  BuildTime? string
units.Ulimit
  Name string
  Hard int64
  Soft int64
v1.Descriptor
  MediaType:mediaType string
  Digest:digest digest.Digest
  Size:size int64
  URLs:urls? []string
  Annotations:annotations? map[string]string
  Data:data? []uint8
  Platform:platform? *v1.Platform
  ArtifactType:artifactType? string
v1.DockerOCIImageConfig
  +v1.ImageConfig
  +v1.DockerOCIImageConfigExt
v1.DockerOCIImageConfigExt
  Healthcheck? *v1.HealthcheckConfig
  OnBuild? []string
  Shell? []string
v1.HealthcheckConfig
  Test? []string
  Interval? time.Duration
  Timeout? time.Duration
  StartPeriod? time.Duration
  StartInterval? time.Duration
  Retries? int
v1.ImageConfig
  User? string
  ExposedPorts? map[string]struct {}
  Env? []string
  Entrypoint? []string
  Cmd? []string
  Volumes? map[string]struct {}
  WorkingDir? string
  Labels? map[string]string
  StopSignal? string
  ArgsEscaped? bool
v1.Platform
  Architecture:architecture string
  OS:os string
  OSVersion:os.version? string
  OSFeatures:os.features? []string
  Variant:variant? string
volume.ClusterVolume
  ID string
volume.UsageData
  RefCount int64
  Size int64
volume.Volume
  ClusterVolume? *volume.ClusterVolume
  CreatedAt? string
  Driver string
  Labels map[string]string
  Mountpoint string
  Name string
  Options map[string]string
  Scope string
  Status? map[string]interface {}
  UsageData? *volume.UsageData
`;
