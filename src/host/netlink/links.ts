// Owns bridges and the virtual links on them, as the kernel holds them. Knows no container, no database and no rule of a firewall.

import { readFileSync, writeFileSync } from 'node:fs';
import { errno as ERRNO } from '../libc.ts';
import { insideNetworkNamespace, openNetworkNamespace } from '../netns.ts';
import {
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
  setHairpin,
  setLinkUp,
} from './route-messages.ts';
import { NETLINK_ROUTE, NetlinkError, NetlinkSocket } from './socket.ts';
import type { Message } from './wire.ts';

const CONTAINER_LINK = 'eth0';
const BRIDGE_NETFILTER = '/proc/sys/net/bridge/bridge-nf-call-iptables';

/** A bridge as found or made. */
export interface Bridge {
  readonly index: number;
  readonly name: string;
  readonly mac: string;
}

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
  /** Finds or makes the bridge, gives it the address, and sets what publishing on loopback needs. @throws NetlinkError */
  ensureBridge(wish: { name: string; mac: string; mtu: number; address: string; prefixLength: number }): Bridge;
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
    ensureBridge({ name, mac, mtu, address, prefixLength }) {
      socket.request([newBridge(name, mac, mtu)], (_, code) => code === ERRNO.EEXIST);
      const found = list().find((link) => link.name === name);
      if (found?.kind !== 'bridge') throw new Error(`${name} is a link of this host, but no bridge`);
      socket.request([newAddress(found.index, address, prefixLength), setLinkUp(found.index)]);
      setSysctl(`ipv4/conf/${name}/route_localnet`, '1');
      setSysctl(`ipv6/conf/${name}/disable_ipv6`, '1', true);
      return { index: found.index, name, mac: found.mac };
    },
    plug: (wish) => plug(socket, wish),
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
    withLinkDefaults(() => {
      const answers = socket.acknowledged(messages(namespace.fd));
      const failed = answers.findIndex(({ errno }) => errno !== 0);
      // When the first message failed there is nothing of ours (the name may be another's).
      if (failed !== 0) undo.defer(() => socket.request([deleteLink(wish.linkName)], () => true));
      const answer = answers[failed];
      if (answer) throw new NetlinkError(answer, failed);
    });
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
    newAddress(index, address, prefixLength),
    setLinkUp(index), // after the address: with arp_notify the neighbours learn its new owner
    newDefaultRoute(index, gateway),
    newNeighbour(index, gateway, bridge.mac),
  ];
}

/** What links made by `make` in the present namespace are born with: no IPv6 (as on Docker's networks without it), arp_notify. */
function withLinkDefaults(make: () => void): void {
  setSysctl('ipv6/conf/default/disable_ipv6', '1', true);
  setSysctl('ipv4/conf/default/arp_notify', '1');
  try {
    make();
  } finally {
    setSysctl('ipv6/conf/default/disable_ipv6', '0', true);
    setSysctl('ipv4/conf/default/arp_notify', '0');
  }
}

/** True where bridged frames pass the IP hooks, so that a translated one would have to leave by the port it came from. */
function bridgedTrafficIsFiltered(): boolean {
  try {
    return readFileSync(BRIDGE_NETFILTER, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
