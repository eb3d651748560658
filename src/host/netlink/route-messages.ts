// Owns the rtnetlink messages that the engine sends and reads: links, addresses, routes, neighbours. Pure.
// @source rtnetlink(7), linux/if_link.h, linux/rtnetlink.h, linux/neighbour.h

import {
  type Attribute,
  attribute,
  decodeAttributes,
  encodeAttributes,
  type Message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  type Received,
  readI32,
  readText,
  readU32,
  text,
  u8,
  u16,
  u32,
} from './wire.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_NEWNEIGH = 28;
const AF_UNSPEC = 0;
const AF_INET = 2;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const VETH_INFO_PEER = 1;
const IFLA_INET_CONF = 1;
const IPV4_DEVCONF_ARP_NOTIFY = 22;
const IFLA_BRPORT_STATE = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const IFF_UP = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NUD_REACHABLE = 0x02;
const CHANGE = NLM_F_REQUEST | NLM_F_ACK;
const MAKE = CHANGE | NLM_F_CREATE | NLM_F_EXCL;

/** One link as dumped. `master` is 0 without one. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
  readonly master: number;
  /** Of a veth: the other end's index, in that one's namespace; 0 for others. */
  readonly peer: number;
  /** Lower-case, with colons. */
  readonly mac: string;
  readonly mtu: number;
  /** `bridge`, `veth`, ...; '' for hardware. */
  readonly kind: string;
  /** Free text that marks the link's owner; '' without. */
  readonly alias: string;
}

/** One IPv4 address of a link. */
export interface LinkAddress {
  readonly linkIndex: number;
  readonly address: string;
  readonly prefixLength: number;
}

/** One IPv4 route of the main table; the default route has prefixLength 0. */
export interface Route {
  readonly linkIndex: number;
  readonly destination: string;
  readonly prefixLength: number;
}

/** Makes a bridge, up. */
export function newBridge(name: string, mac: string, mtu: number): Message {
  return link(RTM_NEWLINK, MAKE, { up: true }, [
    attribute(IFLA_IFNAME, text(name)),
    attribute(IFLA_ADDRESS, macBytes(mac)),
    attribute(IFLA_MTU, u32(mtu)),
    attribute(IFLA_LINKINFO, [attribute(IFLA_INFO_KIND, Buffer.from('bridge'))]),
  ]);
}

/** A pair of virtual links: this end up and in `master`, the other end in another network namespace, down (it cannot be born up). */
export interface VethRequest {
  readonly name: string;
  readonly master: number;
  readonly mtu: number;
  readonly peer: { readonly name: string; readonly mac: string; readonly namespaceFd: number };
}

// A veth has no queueing of its own, but by default a queue object for each CPU: slow to make, and of no use.
const ONE_QUEUE = [attribute(IFLA_NUM_TX_QUEUES, u32(1)), attribute(IFLA_NUM_RX_QUEUES, u32(1))];

export function newVeth({ name, master, mtu, peer }: VethRequest): Message {
  const peerAttributes = Buffer.concat([
    linkHeader({}),
    encodeAttributes([
      attribute(IFLA_IFNAME, text(peer.name)),
      attribute(IFLA_ADDRESS, macBytes(peer.mac)),
      attribute(IFLA_MTU, u32(mtu)),
      attribute(IFLA_NET_NS_FD, u32(peer.namespaceFd)),
      ...ONE_QUEUE,
    ]),
  ]);
  return link(RTM_NEWLINK, MAKE, { up: true }, [
    attribute(IFLA_IFNAME, text(name)),
    attribute(IFLA_MTU, u32(mtu)),
    attribute(IFLA_MASTER, u32(master)),
    ...ONE_QUEUE,
    attribute(IFLA_LINKINFO, [
      attribute(IFLA_INFO_KIND, Buffer.from('veth')),
      attribute(IFLA_INFO_DATA, [attribute(VETH_INFO_PEER, peerAttributes)]),
    ]),
  ]);
}

/** A link by name or by index. */
export type LinkRef = string | number;

/** From now on the link tells its neighbours of its addresses (gratuitous ARP) when it comes up and when its MAC is set. */
export function setArpNotify(index: number): Message {
  const conf = attribute(IFLA_INET_CONF, [attribute(IPV4_DEVCONF_ARP_NOTIFY, u32(1))]);
  return link(RTM_SETLINK, CHANGE, { ref: index }, [attribute(IFLA_AF_SPEC, [attribute(AF_INET, [conf])])]);
}

export function setLinkUp(ref: LinkRef): Message {
  return link(RTM_SETLINK, CHANGE, { ref, up: true }, refAttributes(ref));
}

/** Sets the MAC, even to what it is: see setArpNotify. */
export function setLinkMac(ref: LinkRef, mac: string): Message {
  return link(RTM_SETLINK, CHANGE, { ref }, [...refAttributes(ref), attribute(IFLA_ADDRESS, macBytes(mac))]);
}

export function setLinkAlias(ref: LinkRef, alias: string): Message {
  return link(RTM_SETLINK, CHANGE, { ref }, [...refAttributes(ref), attribute(IFLA_IFALIAS, Buffer.from(alias))]);
}

export function setLinkMaster(ref: LinkRef, master: number): Message {
  return link(RTM_SETLINK, CHANGE, { ref }, [...refAttributes(ref), attribute(IFLA_MASTER, u32(master))]);
}

/** Lets a bridge port send a frame back out of the port it came by (a container that calls its own published port). */
export function setHairpin(ref: LinkRef): Message {
  return bridgePort(ref, attribute(IFLA_BRPORT_MODE, u8(1)));
}

/** Keeps the frames of a bridge port from all other ports that are isolated; the bridge itself hears and answers them. */
export function isolatePort(ref: LinkRef): Message {
  return bridgePort(ref, attribute(IFLA_BRPORT_ISOLATED, u8(1)));
}

/** Stops a bridge port from passing any frame; costs no RCU grace period, unlike taking it out of the bridge. */
export function mutePort(ref: LinkRef): Message {
  return bridgePort(ref, attribute(IFLA_BRPORT_STATE, u8(0)));
}

export function deleteLink(ref: LinkRef): Message {
  return link(RTM_DELLINK, CHANGE, { ref }, refAttributes(ref));
}

export function getLinks(): Message {
  return link(RTM_GETLINK, CHANGE, {}, []);
}

/** Asks for one link; the answer precedes the acknowledgement. */
export function getLink(ref: LinkRef): Message {
  return link(RTM_GETLINK, CHANGE, { ref }, refAttributes(ref));
}

export function newAddress(linkIndex: number, address: string, prefixLength: number): Message {
  const local = ipv4Bytes(address);
  const header = Buffer.concat([Buffer.from([AF_INET, prefixLength, 0, 0]), u32(linkIndex)]);
  const attributes = [attribute(IFA_LOCAL, local), attribute(IFA_ADDRESS, local)];
  if (prefixLength < 31) attributes.push(attribute(IFA_BROADCAST, broadcast(local, prefixLength)));
  return { type: RTM_NEWADDR, flags: CHANGE | NLM_F_CREATE | NLM_F_REPLACE, header, attributes };
}

export function deleteAddress({ linkIndex, address, prefixLength }: LinkAddress): Message {
  const header = Buffer.concat([Buffer.from([AF_INET, prefixLength, 0, 0]), u32(linkIndex)]);
  return { type: RTM_DELADDR, flags: CHANGE, header, attributes: [attribute(IFA_LOCAL, ipv4Bytes(address))] };
}

export function getAddresses(): Message {
  const header = Buffer.concat([Buffer.from([AF_INET, 0, 0, 0]), u32(0)]);
  return { type: RTM_GETADDR, flags: CHANGE, header, attributes: [] };
}

export function newDefaultRoute(linkIndex: number, gateway: string): Message {
  const attributes = [attribute(RTA_OIF, u32(linkIndex)), attribute(RTA_GATEWAY, ipv4Bytes(gateway))];
  return { type: RTM_NEWROUTE, flags: MAKE, header: routeHeader(), attributes };
}

export function getRoutes(): Message {
  const header = Buffer.alloc(12);
  header[0] = AF_INET;
  return { type: RTM_GETROUTE, flags: CHANGE, header, attributes: [] };
}

/** Tells a link's neighbour table where `address` lives, replacing what an earlier owner of the address left there. */
export function newNeighbour(linkIndex: number, address: string, mac: string): Message {
  return {
    type: RTM_NEWNEIGH,
    flags: CHANGE | NLM_F_CREATE | NLM_F_REPLACE,
    header: neighbourHeader(linkIndex, NUD_REACHABLE),
    attributes: [attribute(NDA_DST, ipv4Bytes(address)), attribute(NDA_LLADDR, macBytes(mac))],
  };
}

/** Reads an answer to getLinks or getLink; undefined for other messages. */
export function parseLink({ type, body }: Received): Link | undefined {
  if (type !== RTM_NEWLINK || body.length < 16) return undefined;
  const attributes = decodeAttributes(body.subarray(16));
  const info = attributes.get(IFLA_LINKINFO);
  const kind = info ? decodeAttributes(info).get(IFLA_INFO_KIND) : undefined;
  const master = attributes.get(IFLA_MASTER);
  const peer = attributes.get(IFLA_LINK);
  const mtu = attributes.get(IFLA_MTU);
  return {
    index: readI32(body, 4),
    name: readText(attributes.get(IFLA_IFNAME) ?? Buffer.alloc(0)),
    up: (readU32(body, 8) & IFF_UP) !== 0,
    master: master ? readU32(master, 0) : 0,
    peer: peer ? readU32(peer, 0) : 0,
    mac: formatMac(attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
    mtu: mtu ? readU32(mtu, 0) : 0,
    kind: kind ? readText(kind) : '',
    alias: readText(attributes.get(IFLA_IFALIAS) ?? Buffer.alloc(0)),
  };
}

export function parseAddress({ type, body }: Received): LinkAddress | undefined {
  if (type !== RTM_NEWADDR || body.length < 8 || body[0] !== AF_INET) return undefined;
  const attributes = decodeAttributes(body.subarray(8));
  const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (address?.length !== 4) return undefined;
  return { linkIndex: readU32(body, 4), address: address.join('.'), prefixLength: body[1] ?? 0 };
}

export function parseRoute({ type, body }: Received): Route | undefined {
  if (type !== RTM_NEWROUTE || body.length < 12 || body[0] !== AF_INET) return undefined;
  if (body[4] !== RT_TABLE_MAIN || body[7] !== RTN_UNICAST) return undefined;
  const attributes = decodeAttributes(body.subarray(12));
  const link = attributes.get(RTA_OIF);
  return {
    linkIndex: link ? readU32(link, 0) : 0,
    destination: attributes.get(RTA_DST)?.join('.') ?? '0.0.0.0',
    prefixLength: body[1] ?? 0,
  };
}

/** Six bytes of `02:42:...`. @throws RangeError when it is no such text */
export function macBytes(mac: string): Buffer {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac)) throw new RangeError(`not a MAC address: ${mac}`);
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

/** Four bytes of a dotted quad. @throws RangeError when it is none */
export function ipv4Bytes(address: string): Buffer {
  const parts = address.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) throw new RangeError(`not an IPv4 address: ${address}`);
  return Buffer.from(parts);
}

function formatMac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function broadcast(address: Buffer, prefixLength: number): Buffer {
  const host = 2 ** (32 - prefixLength) - 1;
  const out = Buffer.alloc(4);
  out.writeUInt32BE((address.readUInt32BE(0) | host) >>> 0);
  return out;
}

interface LinkTarget {
  readonly ref?: LinkRef;
  readonly up?: boolean;
}

function link(type: number, flags: number, target: LinkTarget, attributes: readonly Attribute[]): Message {
  return { type, flags, header: linkHeader(target), attributes };
}

function bridgePort(ref: LinkRef, data: Attribute): Message {
  return link(RTM_NEWLINK, CHANGE, { ref }, [
    ...refAttributes(ref),
    attribute(IFLA_LINKINFO, [
      attribute(IFLA_INFO_SLAVE_KIND, Buffer.from('bridge')),
      attribute(IFLA_INFO_SLAVE_DATA, [data]),
    ]),
  ]);
}

/** struct ifinfomsg: family, pad, type, index, flags, change. */
function linkHeader({ ref, up }: LinkTarget): Buffer {
  const index = typeof ref === 'number' ? ref : 0;
  const flags = up ? IFF_UP : 0;
  return Buffer.concat([Buffer.from([AF_UNSPEC, 0]), u16(0), u32(index), u32(flags), u32(flags)]);
}

function refAttributes(ref: LinkRef): Attribute[] {
  return typeof ref === 'string' ? [attribute(IFLA_IFNAME, text(ref))] : [];
}

/** struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags. */
function routeHeader(): Buffer {
  return Buffer.concat([Buffer.from([AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST]), u32(0)]);
}

/** struct ndmsg: family, pads, ifindex, state, flags, type. */
function neighbourHeader(linkIndex: number, state: number): Buffer {
  return Buffer.concat([Buffer.from([AF_INET, 0, 0, 0]), u32(linkIndex), u16(state), Buffer.from([0, RTN_UNICAST])]);
}
