// Owns which networks a container is asked to join, and how: NetworkingConfig to endpoint settings. Pure.
// @source dockerd 28.5 for all texts and their order

import { isIP } from 'node:net';
import { joinedContainer } from '../../../spec/docker/join-mode.ts';
import type { ContainerCreateRequest, EndpointSettings, HostConfig } from '../../../spec/docker/types.gen.ts';
import { invalid, notYet } from '../errors.ts';
import type { EndpointSpec } from '../types.ts';

type Networking = ContainerCreateRequest['NetworkingConfig'];

const PREDEFINED: ReadonlySet<string> = new Set(['bridge', 'host', 'none', 'default']);
const MAC = /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$/i;
/** What Docker's bridge driver reads of an endpoint's options; it ignores the rest, and so do we. */
const KNOWN_DRIVER_OPTIONS = 'com.docker.network.endpoint.';

/**
 * The networks by name. Those of the endpoints' configuration stand instead of the mode's; a mode that is no network has none.
 * @throws GantryError for settings that are malformed or that this engine does not have
 */
export function planEndpoints(hostConfig: HostConfig, networking: Networking): Readonly<Record<string, EndpointSpec>> {
  const mode = hostConfig.NetworkMode || 'default';
  const given = Object.entries(networking?.EndpointsConfig ?? {}) as [string, EndpointSettings | null | undefined][];
  const asked: [string, EndpointSettings][] = given.map(([name, settings]) => {
    const network = name === 'default' && mode === 'default' ? 'bridge' : name;
    if (settings == null) throw invalidFor(network, 'EndpointsConfig is nil');
    checkEndpoint(network, settings);
    return [network, settings];
  });
  if (joinedContainer(mode) !== undefined) return {};
  checkTogether(
    mode,
    asked.map(([name]) => name),
  );
  if (asked.length === 0) asked.push([mode === 'default' ? 'bridge' : mode, {}]);
  // Any text is a name here, `__proto__` too.
  return Object.fromEntries(asked.map(([name, settings]) => [name, endpointOf(settings)]));
}

/** Docker finds these out at the start; of the first in the kernel's words. */
function checkTogether(mode: string, names: readonly string[]): void {
  const refuse = (why: string) => invalid('NETWORKS_TOGETHER', `failed to set up container networking: ${why}`);
  if (mode === 'host') {
    if (names.every((name) => name === 'host')) return;
    throw refuse(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  }
  if (names.includes('host'))
    throw refuse('cannot connect container to host network - container must be created in host network mode');
  if (names.includes('none') && names.length > 1) {
    const private_ = 'one of the networks in private (none) mode';
    throw refuse(`container cannot be connected to multiple networks with ${private_}`);
  }
}

function invalidFor(network: string, why: string): Error {
  return invalid('ENDPOINT', `invalid config for network ${network}: ${why}`);
}

function checkEndpoint(network: string, settings: EndpointSettings): void {
  if (settings.MacAddress && !MAC.test(settings.MacAddress))
    throw invalidFor(network, `invalid MAC address ${settings.MacAddress}`);
  const faults = endpointFaults(PREDEFINED.has(network), settings);
  const [only] = faults;
  if (only !== undefined) {
    const list = faults.length === 1 ? only : faults.map((fault) => `* ${fault}`).join('\n');
    throw invalidFor(network, `invalid endpoint settings:\n${list}`);
  }
  refuseMissing(network, settings);
}

function endpointFaults(predefined: boolean, { IPAMConfig, Aliases }: EndpointSettings): readonly string[] {
  const { IPv4Address = '', IPv6Address = '', LinkLocalIPs = [] } = IPAMConfig ?? {};
  const fixed = [IPv4Address, IPv6Address].filter((address) => address !== '');
  const faults: string[] = [];
  if (predefined && fixed.length > 0)
    faults.push('user specified IP address is supported on user defined networks only');
  if (predefined && (Aliases ?? []).length > 0)
    faults.push('network-scoped alias is supported only for containers in user defined networks');
  if (IPv4Address !== '' && isIP(IPv4Address) !== 4) faults.push(`invalid IPv4 address: ${IPv4Address}`);
  if (IPv6Address !== '' && isIP(IPv6Address) !== 6) faults.push(`invalid IPv6 address: ${IPv6Address}`);
  for (const address of LinkLocalIPs) if (isIP(address) === 0) faults.push(`invalid link-local IP address: ${address}`);
  const subnets =
    'user specified IP address is supported only when connecting to networks with user configured subnets';
  if (predefined) faults.push(...fixed.map(() => subnets));
  return faults;
}

/** What Docker does and this engine not yet: said, never dropped. */
function refuseMissing(network: string, { IPAMConfig, DriverOpts }: EndpointSettings): void {
  if (IPAMConfig?.LinkLocalIPs?.length) throw notYet('LINK_LOCAL', `link-local addresses (on network ${network})`);
  const option = Object.keys(DriverOpts ?? {}).find((name) => name.startsWith(KNOWN_DRIVER_OPTIONS));
  if (option !== undefined) throw notYet('DRIVER_OPTION', `the endpoint option ${option} (on network ${network})`);
}

function endpointOf(settings: EndpointSettings): EndpointSpec {
  const { IPAMConfig, Aliases, Links, MacAddress, DriverOpts, GwPriority } = settings;
  return {
    aliases: Aliases ?? [],
    ...(IPAMConfig ? { ipam: IPAMConfig } : {}),
    ...(Links && Links.length > 0 ? { links: Links } : {}),
    ...(MacAddress ? { macAddress: withColons(MacAddress) } : {}),
    ...(DriverOpts ? { driverOptions: DriverOpts } : {}),
    ...(GwPriority ? { gatewayPriority: GwPriority } : {}),
  };
}

/** `0242.ac11.0009` in the usual spelling. */
function withColons(mac: string): string {
  if (!mac.includes('.')) return mac;
  return (mac.replaceAll('.', '').match(/../g) ?? []).join(':');
}
