// Owns the fields that templates of `inspect` may read though the JSON spells or omits them otherwise. Pure.

import { NIL_LIST, NIL_MAP } from '../template/index.ts';

/** What is inspected. */
export type InspectKind = 'container' | 'image' | 'network' | 'volume' | 'context';

/** Go's name of a field by its JSON name, where they differ. @source moby api/types */
const GO_NAMES: Readonly<Record<string, string>> = {
  Id: 'ID',
  CpuShares: 'CPUShares',
  NanoCpus: 'NanoCPUs',
  CpuPeriod: 'CPUPeriod',
  CpuQuota: 'CPUQuota',
  CpuRealtimePeriod: 'CPURealtimePeriod',
  CpuRealtimeRuntime: 'CPURealtimeRuntime',
  CpuCount: 'CPUCount',
  CpuPercent: 'CPUPercent',
  Dns: 'DNS',
  DnsOptions: 'DNSOptions',
  DnsSearch: 'DNSSearch',
  HostIp: 'HostIP',
};

/** Fields that the daemon leaves out when empty, by the object that has them, with Go's empty value. */
const OMITTED: Readonly<Record<InspectKind, Readonly<Record<string, Readonly<Record<string, unknown>>>>>> = {
  container: {
    '': { SizeRw: null, SizeRootFs: null, ImageManifestDescriptor: null },
    State: { Health: null },
    Config: {
      ExposedPorts: {},
      Healthcheck: null,
      ArgsEscaped: false,
      NetworkDisabled: false,
      MacAddress: '',
      StopSignal: '',
      StopTimeout: null,
      Shell: [],
    },
    HostConfig: { Annotations: {}, StorageOpt: {}, Tmpfs: {}, Mounts: [], Sysctls: {}, Runtime: '', Init: null },
  },
  image: {
    '': { Variant: '', OsVersion: '', Parent: '', Comment: '', Author: '', Config: null, Manifests: [] },
    Config: { ExposedPorts: {}, Healthcheck: null, Volumes: {}, StopSignal: '', Shell: [], Labels: {}, Entrypoint: [] },
  },
  network: { '': { Peers: [], Services: {} } },
  volume: { '': { CreatedAt: '', Status: {}, UsageData: null, ClusterVolume: null } },
  context: {},
};

/**
 * `data` with the missing empty fields added. Spelling differences become properties that templates find but that
 * `{{json .}}`, `range` and `len` do not see.
 */
export function withGoNames(data: unknown, kind: InspectKind): unknown {
  if (!isRecord(data)) return data;
  for (const [owner, fields] of Object.entries(OMITTED[kind])) {
    const target = owner === '' ? data : data[owner];
    if (!isRecord(target)) continue;
    for (const [name, empty] of Object.entries(fields)) {
      if (!(name in target)) Object.defineProperty(target, name, { value: empty, enumerable: false });
    }
  }
  addGoNames(data);
  return data;
}

/** Null fields that are pointers in Go and print as `<nil>`; other nulls are empty maps or lists. */
const POINTERS = new Set(
  'Health Healthcheck Init OomKillDisable MemorySwappiness PidsLimit StopTimeout SizeRw SizeRootFs IPAMConfig UsageData ImageManifestDescriptor ClusterVolume'.split(
    ' ',
  ),
);
const MAPS = new Set(
  'Labels Volumes ExposedPorts Options DriverOpts Ports PortBindings Sysctls Tmpfs StorageOpt Annotations Config Status Networks Data Containers Services'.split(
    ' ',
  ),
);

function addGoNames(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) addGoNames(item);
  if (!isRecord(value)) return;
  for (const [key, member] of Object.entries(value)) {
    addGoNames(member);
    if (member === null && !POINTERS.has(key)) value[key] = MAPS.has(key) ? NIL_MAP : NIL_LIST;
    const goName = GO_NAMES[key];
    if (goName !== undefined && !(goName in value)) {
      Object.defineProperty(value, goName, { value: member, enumerable: false });
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
