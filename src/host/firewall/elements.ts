// Owns the nf_tables wire messages that add and remove map elements in one transaction. Pure; knows no map by name.
// @source linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h; bytes compared with `nft --debug=mnl` 1.0.6

import {
  type Attribute,
  attribute,
  type Message,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  text,
} from '../netlink/wire.ts';

const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFNL_SUBSYS_NFTABLES = 10;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFPROTO_INET = 1;

/** One element of a map: the parts of its concatenated key and of its value, each as bytes in network order. */
export interface Element {
  readonly map: string;
  readonly key: readonly Uint8Array[];
  readonly value: readonly Uint8Array[];
}

/** A 16-bit number in network order. */
export function port(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

/** The messages of one transaction on a table of family `inet`: all elements, or none. */
export function elementTransaction(
  act: 'add' | 'delete',
  table: string,
  elements: readonly Element[],
): readonly Message[] {
  const maps = Map.groupBy(elements, ({ map }) => map);
  return [
    frame(NFNL_MSG_BATCH_BEGIN),
    ...[...maps].map(([map, members]) => elementList(act, table, map, members)),
    frame(NFNL_MSG_BATCH_END),
  ];
}

function elementList(act: 'add' | 'delete', table: string, map: string, elements: readonly Element[]): Message {
  const verb = act === 'add' ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
  return {
    type: (NFNL_SUBSYS_NFTABLES << 8) | verb,
    flags: NLM_F_REQUEST | NLM_F_ACK | (act === 'add' ? NLM_F_CREATE : 0),
    header: Uint8Array.of(NFPROTO_INET, 0, 0, 0),
    attributes: [
      attribute(NFTA_SET_ELEM_LIST_TABLE, text(table)),
      attribute(NFTA_SET_ELEM_LIST_SET, text(map)),
      attribute(
        NFTA_SET_ELEM_LIST_ELEMENTS,
        elements.map(({ key, value }) => attribute(NFTA_LIST_ELEM, elementAttributes(act, key, value))),
      ),
    ],
  };
}

function elementAttributes(act: 'add' | 'delete', key: Element['key'], value: Element['value']): Attribute[] {
  const keyAttribute = attribute(NFTA_SET_ELEM_KEY, [attribute(NFTA_DATA_VALUE, concatenate(key))]);
  if (act === 'delete') return [keyAttribute];
  return [keyAttribute, attribute(NFTA_SET_ELEM_DATA, [attribute(NFTA_DATA_VALUE, concatenate(value))])];
}

/** nf_tables lays each part of a concatenation into registers of four bytes. */
function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + ((part.length + 3) & ~3), 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += (part.length + 3) & ~3;
  }
  return out;
}

function frame(type: number): Message {
  return { type, flags: NLM_F_REQUEST, header: Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES), attributes: [] };
}
