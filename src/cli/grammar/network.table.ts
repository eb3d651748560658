// Owns the grammar of the network commands, as data. @source docker 28.2.2
import type { CommandSpec } from './types.ts';

/** `network connect`. */
export const networkConnect: CommandSpec = {
  path: 'network connect',
  usage: '[OPTIONS] NETWORK CONTAINER',
  about: 'Connect a container to a network',
  minArgs: 2,
  maxArgs: 2,
  flags: [
    { name: 'alias', type: 'strings', about: 'Add a name for the container on this network' },
    { name: 'driver-opt', type: 'strings', about: 'Driver option of this endpoint' },
    { name: 'gw-priority', type: 'int', about: 'Highest priority becomes the default gateway' },
    { name: 'ip', type: 'string', about: 'IPv4 address (e.g., 172.30.100.104)' },
    { name: 'ip6', type: 'string', about: 'IPv6 address (e.g., 2001:db8::33)' },
    { name: 'link', type: 'list', about: 'Link to another container' },
    { name: 'link-local-ip', type: 'strings', about: 'Link-local address of the container' },
  ],
};

/** `network create`. */
export const networkCreate: CommandSpec = {
  path: 'network create',
  usage: '[OPTIONS] NETWORK',
  about: 'Create a network',
  minArgs: 1,
  maxArgs: 1,
  flags: [
    { name: 'attachable', type: 'bool', about: 'Let containers be attached by hand' },
    { name: 'aux-address', type: 'map', about: 'Addresses that the driver may not hand out' },
    { name: 'config-from', type: 'string', about: 'Network to copy the configuration from' },
    { name: 'config-only', type: 'bool', about: 'Make a network that only holds a configuration' },
    { name: 'driver', short: 'd', type: 'string', initial: 'bridge', about: 'Driver to use' },
    { name: 'gateway', type: 'strings', about: 'Gateway of the subnet' },
    { name: 'ingress', type: 'bool', about: 'Make the swarm ingress network' },
    { name: 'internal', type: 'bool', about: 'Keep the network from the outside' },
    { name: 'ip-range', type: 'strings', about: 'Hand out addresses of this range' },
    { name: 'ipam-driver', type: 'string', initial: 'default', about: 'Address management driver' },
    { name: 'ipam-opt', type: 'map', about: 'Option of the address management driver' },
    { name: 'ipv4', type: 'bool', initial: true, about: 'Assign IPv4 addresses' },
    { name: 'ipv6', type: 'bool', about: 'Assign IPv6 addresses' },
    { name: 'label', type: 'list', about: 'Set a label' },
    { name: 'opt', short: 'o', type: 'map', about: 'Driver option' },
    { name: 'scope', type: 'string', about: 'Scope of the network' },
    { name: 'subnet', type: 'strings', about: 'Subnet of a network segment (CIDR)' },
  ],
};

/** `network disconnect`. */
export const networkDisconnect: CommandSpec = {
  path: 'network disconnect',
  usage: '[OPTIONS] NETWORK CONTAINER',
  about: 'Disconnect a container from a network',
  minArgs: 2,
  maxArgs: 2,
  flags: [{ name: 'force', short: 'f', type: 'bool', about: 'Disconnect even when the container does not answer' }],
};

/** `network inspect`. */
export const networkInspect: CommandSpec = {
  path: 'network inspect',
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  about: 'Show everything about networks',
  minArgs: 1,
  flags: [
    {
      name: 'format',
      short: 'f',
      type: 'string',
      about: 'Print with a Go template, or "json", "table", "table TEMPLATE"',
    },
    { name: 'verbose', short: 'v', type: 'bool', about: 'Print more' },
  ],
};

/** `network ls`. */
export const networkLs: CommandSpec = {
  path: 'network ls',
  aliases: ['network list'],
  usage: '[OPTIONS]',
  about: 'List networks',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', short: 'f', type: 'filter', about: 'Show only what matches (e.g., "name=web")' },
    { name: 'format', type: 'string', about: 'Print with a Go template, or "json", "table", "table TEMPLATE"' },
    { name: 'no-trunc', type: 'bool', about: 'Print values in full' },
    { name: 'quiet', short: 'q', type: 'bool', about: 'Print network IDs only' },
  ],
};

/** `network prune`. */
export const networkPrune: CommandSpec = {
  path: 'network prune',
  usage: '[OPTIONS]',
  about: 'Remove every unused network',
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { name: 'filter', type: 'filter', about: 'Show only what matches (e.g., "name=web")' },
    { name: 'force', short: 'f', type: 'bool', about: 'Do not ask' },
  ],
};

/** `network rm`. */
export const networkRm: CommandSpec = {
  path: 'network rm',
  aliases: ['network remove'],
  usage: 'NETWORK [NETWORK...]',
  about: 'Remove networks',
  minArgs: 1,
  flags: [{ name: 'force', short: 'f', type: 'bool', about: 'Do not fail when the network is missing' }],
};
