// Owns the text of our nftables table: one table a daemon, maps for published ports, few fixed rules a network. Pure.
//
// How a published port is reached:
//   another host          from_outside → DNAT → forwarded; the container sees the true client address
//   host, its own address from_host → DNAT → out of the bridge; the source is the host's address
//   host, 127.0.0.1       from_host → DNAT; route_localnet on the bridge lets it out; source_nat makes the source the gateway
//   a container           from_outside → DNAT → source_nat (else the answer would take the short way and be unknown)
// Addresses are IPv4. What serves IPv6 is a forwarder in the daemon.

import { ipv4Bytes } from '../netlink/route-messages.ts';
import { type Element, port } from './elements.ts';

/** One bridge network as the rules know it. */
export interface BridgeRules {
  readonly bridge: string;
  /** CIDR, e.g. `172.17.0.0/16`. */
  readonly subnet: string;
  /** The bridge's own address. */
  readonly gateway: string;
  /** Its containers reach each other; default true. */
  readonly icc?: boolean | undefined;
  /** What leaves the host bears the host's address; default true. */
  readonly masquerade?: boolean | undefined;
}

/** One published port. `hostIp` `0.0.0.0` means every IPv4 address of the host. */
export interface PortMapping {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly address: string;
  readonly port: number;
}

const MAP_ANY = 'published';
const MAP_AT = 'published_at';
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const;

/** `gantry_<instance>`, with what nftables forbids in names replaced. */
export function tableName(instance: string): string {
  return `gantry_${instance.replaceAll(/[^a-zA-Z0-9_]/g, '_')}`;
}

/** A script for `nft -f -` that replaces the whole table in one transaction; connections that exist go on. */
export function rulesetText(table: string, networks: readonly BridgeRules[], ports: readonly PortMapping[]): string {
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  map ${MAP_ANY} {
    type inet_proto . inet_service : ipv4_addr . inet_service
${elementsText(ports.filter((mapping) => mapName(mapping) === MAP_ANY))}  }
  map ${MAP_AT} {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
${elementsText(ports.filter((mapping) => mapName(mapping) === MAP_AT))}  }
  chain guard {
    type filter hook prerouting priority raw; policy accept;
${networks.map(guardRules).join('')}  }
  chain from_outside {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 127.0.0.0/8 return
    fib daddr type local jump publish
  }
  chain from_host {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @${MAP_AT}
    dnat ip to meta l4proto . th dport map @${MAP_ANY}
  }
  chain source_nat {
    type nat hook postrouting priority srcnat; policy accept;
${networks.map(sourceRules).join('')}  }
  chain forwarded {
    type filter hook forward priority filter; policy accept;
${networks.map(inboundRules).join('')}${networks.map(({ bridge }) => `    iifname "${bridge}" accept\n`).join('')}  }
}
`;
}

/** The script that takes the table away, if it is there. */
export function removalText(table: string): string {
  return `table inet ${table}\ndelete table inet ${table}\n`;
}

/** A mapping as the element that the kernel stores. */
export function mappingElement(mapping: PortMapping): Element {
  const map = mapName(mapping);
  const key = [Uint8Array.of(PROTOCOLS[mapping.protocol]), port(mapping.hostPort)];
  return {
    map,
    key: map === MAP_AT ? [ipv4Bytes(mapping.hostIp), ...key] : key,
    value: [ipv4Bytes(mapping.address), port(mapping.port)],
  };
}

function mapName({ hostIp }: PortMapping): string {
  return hostIp === '0.0.0.0' ? MAP_ANY : MAP_AT;
}

function elementsText(ports: readonly PortMapping[]): string {
  if (ports.length === 0) return '';
  const items = ports.map((mapping) => {
    const at = mapName(mapping) === MAP_AT ? `${mapping.hostIp} . ` : '';
    return `${at}${mapping.protocol} . ${mapping.hostPort} : ${mapping.address} . ${mapping.port}`;
  });
  return `    elements = { ${items.join(', ')} }\n`;
}

/**
 * route_localnet lets loopback addresses cross the bridge; only what we translate may. Direct routing is refused, as Docker 28 does;
 * without masquerading answers come that way, and the forward chain sorts out what is none.
 */
function guardRules({ bridge, subnet, gateway, masquerade = true }: BridgeRules): string {
  const direct = masquerade ? `    iifname != "${bridge}" ip daddr ${subnet} ip daddr != ${gateway} drop\n` : '';
  return `    iifname "${bridge}" ip saddr 127.0.0.0/8 drop
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
${direct}`;
}

function sourceRules({ bridge, subnet, masquerade = true }: BridgeRules): string {
  const leaving = masquerade ? `    oifname != "${bridge}" ip saddr ${subnet} masquerade\n` : '';
  return `    oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
    oifname "${bridge}" ip saddr ${subnet} ct status dnat masquerade
${leaving}`;
}

function inboundRules({ bridge, icc = true }: BridgeRules): string {
  const within = icc ? `    oifname "${bridge}" iifname "${bridge}" accept\n` : '';
  return `    oifname "${bridge}" ct state established,related accept
${within}    oifname "${bridge}" ct status dnat accept
    oifname "${bridge}" drop
`;
}
