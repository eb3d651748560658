// Owns what the network capability needs of the host: the port types, and the real host behind them.

import { readFileSync } from 'node:fs';
import { type Flow, forgetFlows } from '../../host/firewall/conntrack.ts';
import { createFirewall, type Firewall } from '../../host/firewall/firewall.ts';
import { type HostPortRequest, openHostPort } from '../../host/firewall/host-port.ts';
import { hostLinks, type Links, setSysctl } from '../../host/netlink/links.ts';
import { lockInNetworkNamespace } from '../../host/netns-lock.ts';
import type { PortRange } from './ports.ts';

export interface NetworkDoors {
  readonly links: Links;
  readonly firewall: Firewall;
  /** @throws SystemError EADDRINUSE, EADDRNOTAVAIL, ... */
  readonly openHostPort: (request: HostPortRequest) => Disposable;
  readonly forgetFlows: (match: (flow: Flow) => boolean) => Promise<number>;
  /** Held while a subnet is chosen and taken. */
  readonly lockSubnets: () => Promise<Disposable>;
  /** `key` is a path under /proc/sys/net. */
  readonly setSysctl: (key: string, value: string) => void;
  /** The range that the kernel takes ephemeral ports from. */
  readonly ephemeralPorts: () => PortRange;
  /** True when the host's IPv6 is on. */
  readonly hasIPv6: () => boolean;
}

/** This host. `instance` names the daemon's firewall table; without `rules` that is never made. */
export function realDoors(instance: string, rules = true): NetworkDoors {
  const firewall = rules ? createFirewall(instance) : withoutRules(createFirewall(instance));
  return { links: hostLinks, firewall, openHostPort, forgetFlows, lockSubnets, setSysctl, ephemeralPorts, hasIPv6 };
}

/** Somebody else sees to the rules; those of an earlier daemon of ours still go. */
function withoutRules(firewall: Firewall): Firewall {
  return {
    ...firewall,
    replace: () => firewall.remove(),
    publish: async () => true,
    unpublish: async () => undefined,
    warnings: () => [],
  };
}

function lockSubnets(): Promise<Disposable> {
  return lockInNetworkNamespace('gantry-subnets');
}

function ephemeralPorts(): PortRange {
  const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const [first = 49_153, last = 65_535] = text.trim().split(/\s+/).map(Number);
  return { first, last };
}

function hasIPv6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8') !== '';
  } catch {
    return false;
  }
}
