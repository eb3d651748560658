// Owns the choice of the default bridge's address. Pure.

import type { Link, LinkAddress, Route } from '../../host/netlink/links.ts';
import { chooseSubnet, formatAddress, overlap, parseCidr, type Subnet, subnetOf } from './addresses.ts';
import type { NetworksOptions } from './types.ts';

/** The host as it is. */
export interface HostFacts {
  readonly links: readonly Link[];
  readonly addresses: readonly LinkAddress[];
  readonly routes: readonly Route[];
}

/** The bridge's own address, which is the containers' gateway, and the block around it. */
export interface BridgePlan {
  readonly gateway: string;
  readonly subnet: Subnet;
}

/**
 * In this order: the configured address (`bip`); the one the bridge has; the one it had (`earlier`, CIDR), if nothing else
 * took it meanwhile; the first free block of the pools, whose first address is the gateway.
 * @throws INVALID_CIDR, NO_FREE_SUBNET
 */
export function planBridge(options: NetworksOptions, earlier: string | undefined, facts: HostFacts): BridgePlan {
  const own = facts.links.find(({ name }) => name === options.bridgeName)?.index;
  if (options.bip !== undefined) return fromCidr(options.bip);
  const present = facts.addresses.find(({ linkIndex }) => linkIndex === own);
  if (present) return fromCidr(`${present.address}/${present.prefixLength}`);
  const inUse = [
    ...facts.routes
      .filter(({ linkIndex, prefixLength }) => linkIndex !== own && prefixLength > 0)
      .map(({ destination, prefixLength }) => subnetOf(destination, prefixLength)),
    ...facts.addresses
      .filter(({ linkIndex }) => linkIndex !== own)
      .map(({ address, prefixLength }) => subnetOf(address, prefixLength)),
  ];
  if (earlier !== undefined) {
    const plan = fromCidr(earlier);
    if (!inUse.some((used) => overlap(used, plan.subnet))) return plan;
  }
  const subnet = chooseSubnet(options.addressPools, inUse);
  return { gateway: formatAddress(subnet.base + 1), subnet };
}

function fromCidr(text: string): BridgePlan {
  const { address, subnet } = parseCidr(text);
  return { gateway: address, subnet };
}
