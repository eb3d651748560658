// Owns a network as Docker shows it. Pure.

import type { Endpoint, NetworkRecord } from '../../engine/networks/types.ts';
import type { Network } from '../../spec/docker/types.gen.ts';
import { sortedMap } from './fields.ts';

/** An endpoint with the name of its container. */
export interface NamedEndpoint extends Endpoint {
  readonly containerId: string;
  readonly containerName: string;
}

/** GET /networks/{id}; in lists Containers stays empty. @source dockerd 28.5.2 */
export function networkView(network: NetworkRecord, endpoints: readonly NamedEndpoint[]): Network {
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.enableIPv6,
    IPAM: { Driver: 'default', Options: null, Config: ipamView(network) },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: sortedMap(
      Object.fromEntries(endpoints.map((endpoint) => [endpoint.containerId, memberView(endpoint)])),
    ),
    Options: sortedMap(network.options),
    Labels: sortedMap(network.labels),
  };
}

function ipamView(network: NetworkRecord): Record<string, string>[] | null {
  if (network.ipam.length === 0) return null;
  return network.ipam.map(({ subnet, gateway }) => ({ Subnet: subnet, ...(gateway ? { Gateway: gateway } : {}) }));
}

function memberView(endpoint: NamedEndpoint): Record<string, string> {
  return {
    Name: endpoint.containerName,
    EndpointID: endpoint.endpointId,
    MacAddress: endpoint.macAddress,
    IPv4Address: endpoint.ipAddress === '' ? '' : `${endpoint.ipAddress}/${endpoint.prefixLength}`,
    IPv6Address: '',
  };
}
