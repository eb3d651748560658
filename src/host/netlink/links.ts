// Owns bridges and the virtual links on them, as the kernel holds them. Knows no container, no database and no rule of a firewall.

import { readFileSync, writeFileSync } from 'node:fs';
import { errno as ERRNO } from '../libc.ts';
import { insideNetworkNamespace, openNetworkNamespace } from '../netns.ts';
import {
  deleteAddress,
  deleteLink,
  getAddresses,
  getLink,
  getLinks,
  getRoutes,
  isolatePort,
  type Link,
  type LinkAddress,
  mutePort,
  newAddress,
  newBridge,
  newDefaultRoute,
  newNeighbour,
  newVeth,
  parseAddress,
  parseLink,
  parseRoute,
  type Route,
  setArpNotify,
  setHairpin,
  setLinkAlias,
  setLinkMac,
  setLinkMaster,
  setLinkUp,
} from './route-messages.ts';
import { NETLINK_ROUTE, NetlinkError, NetlinkSocket } from './socket.ts';
import type { Message, Received } from './wire.ts';

export type { Link, LinkAddress, Route } from './route-messages.ts';

const CONTAINER_LINK = 'eth0';
/** Some 10 ms are left until the container's program runs. */
const ANNOUNCE_MS = 5;
const BRIDGE_NETFILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** A bridge as found or made. */
export interface Bridge {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
}

interface BridgeRequest {
  readonly name: string;
  /** For a bridge to be made. */
  readonly mac: string;
  readonly mtu: number;
  readonly address: string;
  readonly prefixLength: number;
}

/** The alias of bridges that ensureBridge made: what we made we may remove. */
export const BRIDGE_ALIAS = 'gantry';

/** What a namespace gets: a link `eth0` with an address and a default route, its other end a port of the bridge. */
interface PlugSpec {
  readonly bridge: Bridge;
  /** The host end's name, at most 15 characters. */
  readonly linkName: string;
  /** Any process in the namespace. */
  readonly pid: number;
  readonly mac: string;
  readonly mtu: number;
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /** The namespace may call itself through a published port. */
  readonly hairpin: boolean;
  /** The namespace does not reach others on the bridge that are isolated too. */
  readonly isolated?: boolean | undefined;
}

/** The host's links, as the network capability needs them. What waits for the kernel's locks waits on the thread pool. */
export interface Links {
  list(): Promise<Link[]>;
  addresses(): Promise<LinkAddress[]>;
  routes(): Promise<Route[]>;
  /**
   * Finds or makes the bridge, gives it the address (its only IPv4 one), and sets what publishing on loopback needs.
   * @throws NetlinkError @throws Error when the name is another kind of link's
   */
  ensureBridge(request: BridgeRequest): Promise<Bridge>;
  /** Puts links back on the bridge; those gone are fine. */
  enslave(linkNames: readonly string[], bridge: Bridge, isolated?: boolean): Promise<void>;
  /**
   * Plugs a namespace in, in about a millisecond; leaves nothing behind when it fails.
   * @throws NetlinkError @throws NodeJS.ErrnoException ENOENT: no such process
   */
  plug(request: PlugSpec): Promise<void>;
  /** Makes a port pass nothing more, without the wait that a removal takes; the link may be gone already. */
  mute(linkName: string): Promise<void>;
  /** Removes links: each waits for a grace period of the kernel (16 ms). Those gone already are fine. */
  remove(linkNames: readonly string[]): Promise<void>;
}

/** The links of the network namespace of the calling thread, over rtnetlink. */
export const hostLinks: Links = {
  list: () => listLinks(),
  addresses: () => listOf(getAddresses(), parseAddress),
  routes: () => listOf(getRoutes(), parseRoute),
  ensureBridge,
  async enslave(linkNames, bridge, isolated = false) {
    const messages = linkNames.flatMap((name) => [
      setLinkMaster(name, bridge.index),
      ...(isolated ? [isolatePort(name)] : []),
    ]);
    if (messages.length > 0) await change(messages);
  },
  plug,
  mute: (linkName) => change([mutePort(linkName)]),
  async remove(linkNames) {
    for (const linkName of linkNames) await change([deleteLink(linkName)]);
  },
};

/** Changes links; those that are gone are fine. */
async function change(messages: readonly Message[]): Promise<void> {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  await socket.request(messages, (_, code) => code === ERRNO.ENODEV);
}

function listLinks(): Promise<Link[]> {
  return listOf(getLinks(), parseLink);
}

async function listOf<T>(message: Message, parse: (received: Received) => T | undefined): Promise<T[]> {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return (await socket.dump(message)).flatMap((received) => parse(received) ?? []);
}

async function ensureBridge(request: BridgeRequest): Promise<Bridge> {
  const { name, address, prefixLength } = request;
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const [made] = await socket.request([newBridge(name, request.mac, request.mtu)], (_, code) => code === ERRNO.EEXIST);
  if (made?.errno === 0) await socket.request([setLinkAlias(name, BRIDGE_ALIAS)]);
  const found = (await listLinks()).find((link) => link.name === name);
  if (found?.kind !== 'bridge') throw new Error(`${name} is a link of this host, but no bridge`);
  const others = (await listOf(getAddresses(), parseAddress))
    .filter(({ linkIndex }) => linkIndex === found.index)
    .filter((other) => other.address !== address || other.prefixLength !== prefixLength);
  const own = newAddress(found.index, address, prefixLength);
  await socket.request([...others.map(deleteAddress), own, setLinkUp(found.index)]);
  setSysctl(`ipv4/conf/${name}/route_localnet`, '1');
  setSysctl(`ipv6/conf/${name}/disable_ipv6`, '1', true);
  return { index: found.index, name, mac: found.mac };
}

/** Writes `/proc/sys/net/<key>` of the calling thread's namespace. @throws NodeJS.ErrnoException, but for ENOENT where `optional` */
export function setSysctl(key: string, value: string, optional = false): void {
  const path = `/proc/sys/net/${key}`;
  try {
    writeFileSync(path, value);
  } catch (error) {
    if (!optional || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

async function plug(request: PlugSpec): Promise<void> {
  using namespace = openNetworkNamespace(request.pid);
  const inner = insideNetworkNamespace(namespace.fd, () => {
    setSysctl(NO_IPV6, '1', true);
    return new NetlinkSocket(NETLINK_ROUTE);
  });
  await using undo = new AsyncDisposableStack();
  undo.use(inner);
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const answers = await socket.ask(hostMessages(request, namespace.fd));
  // When the first message failed there is nothing of ours (the name may be another's).
  if (answers[0]?.errno === 0) undo.defer(() => change([deleteLink(request.linkName)]));
  answers.forEach((answer, index) => {
    if (answer.errno !== 0) throw new NetlinkError(answer, index);
  });
  const link = answers.at(-1)?.items.flatMap((item) => parseLink(item) ?? [])[0];
  if (!link) throw new Error(`no answer about ${request.linkName}`);
  await inner.request(containerMessages(request, link.peer));
  insideNetworkNamespace(namespace.fd, () => setSysctl(NO_IPV6, '0', true));
  undo.move();
  announce(inner, link.peer, request);
}

/** The container's link is born without IPv6, as on Docker's networks without it. To set it on the link would wait for locks. */
const NO_IPV6 = 'ipv6/conf/default/disable_ipv6';

function hostMessages(request: PlugSpec, namespaceFd: number): Message[] {
  const { bridge, linkName, mac, mtu, address, hairpin, isolated } = request;
  return [
    newVeth({ name: linkName, master: bridge.index, mtu, peer: { name: CONTAINER_LINK, mac, namespaceFd } }),
    newNeighbour(bridge.index, address, mac),
    ...(isolated ? [isolatePort(linkName)] : []),
    ...(hairpin && bridgedTrafficIsFiltered() ? [setHairpin(linkName)] : []),
    getLink(linkName),
  ];
}

function containerMessages({ bridge, address, prefixLength, gateway }: PlugSpec, index: number): Message[] {
  return [
    setArpNotify(index),
    newAddress(index, address, prefixLength),
    setLinkUp(index),
    newDefaultRoute(index, gateway),
    newNeighbour(index, gateway, bridge.mac),
  ];
}

/**
 * Tells the neighbours of the address's new owner (gratuitous ARP), not before the bridge passes the port's frames: asking for
 * a link makes the kernel settle its carrier (Linux 6.8; before, a few ms do). Owns `inner`. Nobody waits for it.
 */
function announce(inner: NetlinkSocket, index: number, { linkName, mac }: PlugSpec): void {
  setTimeout(async () => {
    using _ = inner;
    try {
      using socket = new NetlinkSocket(NETLINK_ROUTE);
      await socket.request([getLink(linkName)]);
      await inner.request([setLinkMac(index, mac)]);
    } catch {
      // the namespace ended meanwhile, and with it the need
    }
  }, ANNOUNCE_MS).unref();
}

/** True where bridged frames pass the IP hooks, so that a translated one would have to leave by the port it came from. */
function bridgedTrafficIsFiltered(): boolean {
  try {
    return readFileSync(BRIDGE_NETFILTER, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
