// Owns a container's networks and ports as inspect and list show them. Pure.

import type { ContainerRecord } from '../../engine/containers/types.ts';
import type { Endpoint, PublishedPort } from '../../engine/networks/types.ts';
import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { EndpointSettings, NetworkSettings } from '../../spec/docker/types.gen.ts';
import { isZeroTime } from '../../spec/time.ts';
import { sortedMap } from './fields.ts';

/** The id of a network by name, '' when there is none: containers remember networks that are gone. */
export type NetworkIds = (name: string) => string;

/** `80/tcp` → bindings, null for ports that are exposed and not published; {} when the container is stopped. */
function portsView(record: ContainerRecord): Record<string, { HostIp: string; HostPort: string }[] | null> {
  if (!isUp(record)) return {};
  const ports: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of Object.keys(record.config.ExposedPorts ?? {})) ports[normalPort(port)] = null;
  for (const port of publishedPorts(record)) {
    const key = `${port.containerPort}/${port.protocol}`;
    const bindings = ports[key] ?? [];
    bindings.push({ HostIp: port.hostIp, HostPort: String(port.hostPort) });
    ports[key] = bindings;
  }
  return sortedMap(ports);
}

function normalPort(port: string): string {
  return port.includes('/') ? port.toLowerCase() : `${port}/tcp`;
}

function publishedPorts(record: ContainerRecord): readonly PublishedPort[] {
  return record.endpoints.flatMap((endpoint) => endpoint.ports);
}

/** True while the container has processes. */
export function isUp(record: ContainerRecord): boolean {
  const { phase } = record.state;
  return phase === 'running' || phase === 'paused';
}

/** One line of the Ports of a list. */
export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

/** The Ports of a list, by container port, then host port and address. */
export function portSummaries(record: ContainerRecord): PortSummary[] {
  const summaries: PortSummary[] = [];
  for (const [port, bindings] of Object.entries(portsView(record))) {
    const [number = '0', Type = 'tcp'] = port.split('/');
    const PrivatePort = Number(number);
    if (bindings === null) summaries.push({ PrivatePort, Type });
    for (const { HostIp, HostPort } of bindings ?? []) {
      summaries.push({ ...(HostIp === '' ? {} : { IP: HostIp }), PrivatePort, PublicPort: Number(HostPort), Type });
    }
  }
  return summaries.sort(
    (a, b) => a.PrivatePort - b.PrivatePort || (a.PublicPort ?? 0) - (b.PublicPort ?? 0) || (a.Type < b.Type ? -1 : 1),
  );
}

/** The Networks map of inspect and list: what was asked for at create, with addresses while attached. */
export function networksView(record: ContainerRecord, idOf: NetworkIds): Record<string, EndpointSettings> {
  const endpoints = new Map(record.endpoints.map((endpoint) => [endpoint.networkName, endpoint]));
  const names = new Set([...Object.keys(record.networks), ...endpoints.keys()]);
  if (names.size === 0) for (const name of defaultNetwork(record)) names.add(name);
  const views = [...names].map((name): [string, EndpointSettings] => [
    name,
    endpointView(record, name, endpoints.get(name), idOf),
  ]);
  return sortedMap(Object.fromEntries(views));
}

function defaultNetwork(record: ContainerRecord): readonly string[] {
  const mode = record.hostConfig.NetworkMode ?? '';
  if (joinedContainer(mode) !== undefined) return [];
  return [mode === '' || mode === 'default' ? 'bridge' : mode];
}

function endpointView(
  record: ContainerRecord,
  name: string,
  endpoint: Endpoint | undefined,
  idOf: NetworkIds,
): EndpointSettings {
  const request = Object.hasOwn(record.networks, name) ? record.networks[name] : undefined;
  const started = !isZeroTime(record.state.startedAt);
  const isUserNetwork = !['bridge', 'host', 'none'].includes(name);
  return {
    IPAMConfig: request?.ipam ?? (isUserNetwork && request ? {} : null),
    Links: request?.links ?? null,
    Aliases: request && request.aliases.length > 0 ? request.aliases : null,
    MacAddress: endpoint?.macAddress ?? request?.macAddress ?? '',
    DriverOpts: request?.driverOptions ?? null,
    GwPriority: request?.gatewayPriority ?? 0,
    NetworkID: endpoint?.networkId ?? (started ? idOf(name) : ''),
    EndpointID: endpoint?.endpointId ?? '',
    Gateway: endpoint?.gateway ?? '',
    IPAddress: endpoint?.ipAddress ?? '',
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: isUserNetwork ? dnsNames(record, request?.aliases ?? []) : null,
  };
}

function dnsNames(record: ContainerRecord, aliases: readonly string[]): readonly string[] {
  return [...new Set([record.name, ...aliases, record.id.slice(0, 12), record.config.Hostname ?? ''])].filter(Boolean);
}

/** NetworkSettings of inspect. */
export function networkSettingsView(record: ContainerRecord, idOf: NetworkIds): NetworkSettings {
  const bridge = record.endpoints.find((endpoint) => endpoint.networkName === 'bridge');
  const up = isUp(record);
  return {
    Bridge: '',
    SandboxID: up ? (record.endpoints[0]?.endpointId ?? '') : '',
    SandboxKey: up ? `/proc/${record.state.pid}/ns/net` : '',
    Ports: portsView(record),
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.endpointId ?? '',
    Gateway: bridge?.gateway ?? '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: bridge?.ipAddress ?? '',
    IPPrefixLen: bridge?.prefixLength ?? 0,
    IPv6Gateway: '',
    MacAddress: bridge?.macAddress ?? '',
    Networks: networksView(record, idOf),
  };
}
