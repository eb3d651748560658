// Owns the network capability's failures. Texts that clients know are dockerd's, seen at 28.5.

import { GantryError, messageOf } from '../../lib/errors.ts';
import type { NetworkRecord } from './types.ts';

export function noFreeAddress({ name, id }: NetworkRecord): GantryError {
  const message = `no available IPv4 addresses on this network's address pools: ${name} (${id})`;
  return new GantryError('exhausted', 'NO_FREE_ADDRESS', message, { params: { network: name } });
}

export function alreadyConnected(containerId: string, network: string): GantryError {
  const message = `endpoint of container ${containerId} already exists in network ${network}`;
  return new GantryError('conflict', 'ALREADY_CONNECTED', message, { params: { containerId, network } });
}

export function networkInUse(bridgeName: string): GantryError {
  const message = `cannot remove ${bridgeName}: containers are attached to it`;
  return new GantryError('conflict', 'NETWORK_IN_USE', message, { params: { bridgeName }, hint: 'stop them first' });
}

export function proxyNeeded(hostIp: string, port: number): GantryError {
  const message = `cannot publish port ${port} on ${hostIp}: the container has no IPv6 address, and the userland proxy is off`;
  return new GantryError('invalid', 'PORT_NEEDS_PROXY', message, { params: { hostIp, port } });
}

export function badHostIp(hostIp: string): GantryError {
  return new GantryError('invalid', 'INVALID_HOST_IP', `invalid IP address: ${hostIp}`, { params: { hostIp } });
}

export function badMacAddress(mac: string): GantryError {
  return new GantryError('invalid', 'INVALID_MAC', `invalid MAC address: ${mac}`, { params: { mac } });
}

/** Whatever the kernel said when a namespace was plugged in. */
export function plugFailed(cause: unknown, pid: number): GantryError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ESRCH') {
    const message = `cannot connect to the network: process ${pid}, which holds the container's network namespace, is gone`;
    return new GantryError('conflict', 'NAMESPACE_GONE', message, { params: { pid }, cause });
  }
  const message = `cannot connect to the network: ${messageOf(cause)}`;
  return new GantryError('system', 'NETWORK_FAILED', message, { params: { pid }, cause });
}

/** A failure to publish, in dockerd's words, when the container's name is known. */
export function publishFailed(error: GantryError, endpoint: { name: string | undefined; id: string }): GantryError {
  if (endpoint.name === undefined) return error;
  return error.prefixed(
    `driver failed programming external connectivity on endpoint ${endpoint.name} (${endpoint.id}): `,
  );
}
