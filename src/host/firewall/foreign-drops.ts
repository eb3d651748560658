// Owns finding other programs' nftables chains that drop forwarded traffic by default. Reads only.

import { NETLINK_NETFILTER, NetlinkSocket } from '../netlink/socket.ts';
import { decodeAttributes, type Message, type Received, readText } from '../netlink/wire.ts';

const NFT_MSG_NEWCHAIN = 0xa03;
const NFT_MSG_GETCHAIN = 0xa04;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_HOOK_HOOKNUM = 1;
const NF_INET_FORWARD = 2;
const NF_DROP = 0;
const FAMILIES: ReadonlyMap<number, string> = new Map([
  [1, 'inet'],
  [2, 'ip'],
]);

/** A base chain of hook forward whose policy is drop. */
export interface ForwardDrop {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
}

/** Chains, of IPv4 traffic, that drop forwarded packets unless a rule of theirs says otherwise. @throws SystemError */
export function findForwardDrops(): ForwardDrop[] {
  using socket = new NetlinkSocket(NETLINK_NETFILTER);
  const request: Message = { type: NFT_MSG_GETCHAIN, flags: 0, header: Uint8Array.of(0, 0, 0, 0), attributes: [] };
  return socket.dumpNow(request).flatMap((message) => parseForwardDrop(message) ?? []);
}

/** Reads one chain of a dump; undefined when it is no such chain. */
export function parseForwardDrop({ type, body }: Received): ForwardDrop | undefined {
  const family = FAMILIES.get(body[0] ?? 0);
  if (type !== NFT_MSG_NEWCHAIN || family === undefined) return undefined;
  const attributes = decodeAttributes(body.subarray(4));
  const hook = attributes.get(NFTA_CHAIN_HOOK);
  const policy = attributes.get(NFTA_CHAIN_POLICY);
  if (hook === undefined || policy?.readUInt32BE(0) !== NF_DROP) return undefined;
  if (decodeAttributes(hook).get(NFTA_HOOK_HOOKNUM)?.readUInt32BE(0) !== NF_INET_FORWARD) return undefined;
  const name = (attribute: number): string => readText(attributes.get(attribute) ?? Buffer.alloc(0));
  return { family, table: name(NFTA_CHAIN_TABLE), chain: name(NFTA_CHAIN_NAME) };
}
