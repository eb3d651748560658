// Owns forgetting connections that the kernel tracks: after an address or a port has changed hands, old ones would lead astray.
// @source linux/netfilter/nfnetlink_conntrack.h

import { errno as ERRNO } from '../libc.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../netlink/socket.ts';
import { attribute, decodeAttributes, type Message, NLM_F_ACK, NLM_F_REQUEST, type Received } from '../netlink/wire.ts';

const CT_NEW = 0x100;
const CT_GET = 0x101;
const CT_DELETE = 0x102;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const AF_INET = 2;

/** One tracked IPv4 connection. */
export interface Flow {
  /** Who began it. */
  readonly source: string;
  /** Whom it was begun to, before translation. */
  readonly destination: string;
  /** The port it was begun to, before translation; 0 where the protocol has none. */
  readonly port: number;
  /** IP protocol number. */
  readonly protocol: number;
  /** Who answers, after translation. */
  readonly answerer: string;
}

/**
 * Makes the kernel forget the connections that `match` names: their next packet is judged anew.
 * @returns how many. @throws NetlinkError where the kernel lists no connections
 */
export async function forgetFlows(match: (flow: Flow) => boolean): Promise<number> {
  using list = new NetlinkSocket(NETLINK_NETFILTER);
  using act = new NetlinkSocket(NETLINK_NETFILTER);
  let count = 0;
  for await (const piece of list.dumpPieces({ type: CT_GET, flags: 0, header: header(), attributes: [] })) {
    const doomed = piece.flatMap((message) => {
      const flow = parseFlow(message);
      return flow && match(flow) ? [deletion(message)] : [];
    });
    if (doomed.length > 0) await act.request(doomed, (_, code) => code === ERRNO.ENOENT);
    count += doomed.length;
  }
  return count;
}

/** Reads one entry of a list; undefined when it is none of IPv4. */
export function parseFlow({ type, body }: Received): Flow | undefined {
  if (type !== CT_NEW || body[0] !== AF_INET) return undefined;
  const attributes = decodeAttributes(body.subarray(4));
  const begun = attributes.get(CTA_TUPLE_ORIG);
  const answered = attributes.get(CTA_TUPLE_REPLY);
  if (!begun || !answered) return undefined;
  const protocol = decodeAttributes(decodeAttributes(begun).get(CTA_TUPLE_PROTO) ?? Buffer.alloc(0));
  return {
    source: addressOf(begun, CTA_IP_V4_SRC),
    destination: addressOf(begun, CTA_IP_V4_DST),
    port: protocol.get(CTA_PROTO_DST_PORT)?.readUInt16BE(0) ?? 0,
    protocol: protocol.get(CTA_PROTO_NUM)?.[0] ?? 0,
    answerer: addressOf(answered, CTA_IP_V4_SRC),
  };
}

function addressOf(tuple: Buffer, end: number): string {
  const addresses = decodeAttributes(decodeAttributes(tuple).get(CTA_TUPLE_IP) ?? Buffer.alloc(0));
  return addresses.get(end)?.join('.') ?? '';
}

/** The id, so that a new connection with the same ends is spared. */
function deletion({ body }: Received): Message {
  const attributes = decodeAttributes(body.subarray(4));
  const kept = [CTA_TUPLE_ORIG, CTA_ID].flatMap((type) => {
    const value = attributes.get(type);
    const nested = type === CTA_TUPLE_ORIG ? 0x8000 : 0;
    return value ? [attribute(type | nested, value)] : [];
  });
  return { type: CT_DELETE, flags: NLM_F_REQUEST | NLM_F_ACK, header: header(), attributes: kept };
}

/** struct nfgenmsg. */
function header(): Uint8Array {
  return Uint8Array.of(AF_INET, 0, 0, 0);
}
