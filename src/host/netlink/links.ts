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
  setLinkMaster,
  setLinkUp,
} from './route-messages.ts';
import { NETLINK_ROUTE, NetlinkError, NetlinkSocket } from './socket.ts';
import type { Message } from './wire.ts';

export type { Link, LinkAddress, Route } from './route-messages.ts';

const CONTAINER_LINK = 'eth0';
const BRIDGE_NETFILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** A bridge as found or made. */
export interface Bridge {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
}

export interface BridgeWish {
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
export interface PlugWish {
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
}

/** The host's links, as the network capability needs them. Calls are synchronous and take about a millisecond at most. */
export interface Links extends Disposable {
  list(): Link[];
  addresses(): LinkAddress[];
  routes(): Route[];
  /**
   * Finds or makes the bridge, gives it the address (its only IPv4 one), and sets what publishing on loopback needs.
   * @throws NetlinkError @throws Error when the name is another kind of link's
   */
  ensureBridge(wish: BridgeWish): Bridge;
  /** Puts links back on the bridge; those gone are fine. */
  enslave(linkNames: readonly string[], bridge: Bridge): void;
  /** Plugs a namespace in; leaves nothing behind when it fails. @throws NetlinkError @throws NodeJS.ErrnoException ENOENT: no such process */
  plug(wish: PlugWish): void;
  /** Makes a port pass nothing more, at once; the link may be gone already. */
  mute(linkName: string): void;
  /** Removes links, on the thread pool: each waits for a grace period of the kernel (16 ms). Those gone already are fine. */
  remove(linkNames: readonly string[]): Promise<void>;
}

/** The links of the network namespace of the calling thread, over rtnetlink. @throws SystemError */
export function openLinks(): Links {
  const socket = new NetlinkSocket(NETLINK_ROUTE);
  const list = (): Link[] => socket.dump(getLinks()).flatMap((message) => parseLink(message) ?? []);
  return {
    list,
    addresses: () => socket.dump(getAddresses()).flatMap((message) => parseAddress(message) ?? []),
    routes: () => socket.dump(getRoutes()).flatMap((message) => parseRoute(message) ?? []),
    ensureBridge: (wish) => ensureBridge(socket, list, wish),
    plug: (wish) => plug(socket, wish),
    enslave(linkNames, bridge) {
      const messages = linkNames.map((name) => setLinkMaster(name, bridge.index));
      if (messages.length > 0) socket.request(messages, (_, code) => code === ERRNO.ENODEV);
    },
    mute(linkName) {
      socket.request([mutePort(linkName)], (_, code) => code === ERRNO.ENODEV);
    },
    async remove(linkNames) {
      for (const linkName of linkNames) {
        using own = new NetlinkSocket(NETLINK_ROUTE);
        await own.requestOffThread([deleteLink(linkName)], (_, code) => code === ERRNO.ENODEV);
      }
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

function ensureBridge(socket: NetlinkSocket, list: () => Link[], wish: BridgeWish): Bridge {
  const { name, address, prefixLength } = wish;
  const [made] = socket.acknowledged([newBridge(name, wish.mac, wish.mtu)]);
  if (made && made.errno !== 0 && made.errno !== ERRNO.EEXIST) throw new NetlinkError(made, 0);
  if (made?.errno === 0) socket.request([setLinkAlias(name, BRIDGE_ALIAS)]);
  const found = list().find((link) => link.name === name);
  if (found?.kind !== 'bridge') throw new Error(`${name} is a link of this host, but no bridge`);
  const others = socket
    .dump(getAddresses())
    .flatMap((message) => parseAddress(message) ?? [])
    .filter((other) => other.linkIndex === found.index)
    .filter((other) => other.address !== address || other.prefixLength !== prefixLength);
  socket.request([
    ...others.map(deleteAddress),
    newAddress(found.index, address, prefixLength),
    setLinkUp(found.index),
  ]);
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

function plug(socket: NetlinkSocket, wish: PlugWish): void {
  const messages = hostMessages(wish);
  using namespace = openNetworkNamespace(wish.pid);
  // Sockets keep their namespace, so one visit does for both ends.
  insideNetworkNamespace(namespace.fd, () => {
    using inner = new NetlinkSocket(NETLINK_ROUTE);
    using undo = new DisposableStack();
    const answers = socket.acknowledged(messages(namespace.fd));
    const failed = answers.findIndex(({ errno }) => errno !== 0);
    // When the first message failed there is nothing of ours (the name may be another's).
    if (failed !== 0) undo.defer(() => socket.request([deleteLink(wish.linkName)], () => true));
    const answer = answers[failed];
    if (answer) throw new NetlinkError(answer, failed);
    setSysctl(`ipv6/conf/${CONTAINER_LINK}/disable_ipv6`, '1', true); // as on Docker's networks without IPv6
    const [link] = inner.ask(getLink(CONTAINER_LINK)).flatMap((message) => parseLink(message) ?? []);
    if (!link) throw new Error(`no answer about ${CONTAINER_LINK}`);
    inner.request(containerMessages(wish, link.index));
    // Answering makes the kernel settle the port's carrier now: from here on the bridge passes its frames (Linux 6.8).
    socket.acknowledged([getLink(wish.linkName)]);
    undo.move();
  });
}

function hostMessages({ bridge, linkName, mac, mtu, address, hairpin }: PlugWish): (namespaceFd: number) => Message[] {
  const filtered = hairpin && bridgedTrafficIsFiltered();
  return (namespaceFd) => [
    newVeth({ name: linkName, master: bridge.index, mtu, peer: { name: CONTAINER_LINK, mac, namespaceFd } }),
    newNeighbour(bridge.index, address, mac),
    ...(filtered ? [setHairpin(linkName)] : []),
  ];
}

function containerMessages({ bridge, address, prefixLength, gateway }: PlugWish, index: number): Message[] {
  return [
    setArpNotify(index),
    newAddress(index, address, prefixLength),
    setLinkUp(index), // last of the three: so the neighbours learn the address's new owner
    newDefaultRoute(index, gateway),
    newNeighbour(index, gateway, bridge.mac),
  ];
}

/** True where bridged frames pass the IP hooks, so that a translated one would have to leave by the port it came from. */
function bridgedTrafficIsFiltered(): boolean {
  try {
    return readFileSync(BRIDGE_NETFILTER, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
