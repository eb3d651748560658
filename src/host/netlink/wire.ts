// Owns the netlink wire format: messages, attributes, acknowledgements. Pure; knows no message type of any family.

import { endianness } from 'node:os';

const little = endianness() === 'LE';

/** One attribute: raw bytes, or attributes nested in it. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | readonly Attribute[];
}

/** One request before it has a sequence number. `header` is the family's fixed part (ifinfomsg, nfgenmsg, ...). */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly header: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** One message as received. `body` is all after the netlink header. */
export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}

/** The kernel's answer to one message. `errno` 0 means done. `text` is the extended acknowledgement's, '' without. */
export interface Acknowledgement {
  readonly sequence: number;
  readonly errno: number;
  readonly text: string;
}

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const NLMSGERR_ATTR_MSG = 1;
const HEADER_BYTES = 16;

/** A number in the host's byte order. */
export function u8(value: number): Buffer {
  return Buffer.from([value]);
}

export function u16(value: number): Buffer {
  const out = Buffer.alloc(2);
  if (little) out.writeUInt16LE(value);
  else out.writeUInt16BE(value);
  return out;
}

export function u32(value: number): Buffer {
  const out = Buffer.alloc(4);
  writeU32(out, value >>> 0, 0);
  return out;
}

/** Text with the closing NUL that the kernel wants. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

/** An attribute; an array as value makes it a nest. */
export function attribute(type: number, value: Uint8Array | readonly Attribute[]): Attribute {
  return { type, value };
}

function readU16(bytes: Buffer, offset: number): number {
  return little ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
}

export function readU32(bytes: Buffer, offset: number): number {
  return little ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
}

export function readI32(bytes: Buffer, offset: number): number {
  return little ? bytes.readInt32LE(offset) : bytes.readInt32BE(offset);
}

/** Text up to the first NUL. */
export function readText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Encodes messages into one datagram; the i-th gets sequence `firstSequence + i`. */
export function encodeMessages(messages: readonly Message[], firstSequence: number): Buffer {
  const out = Buffer.alloc(messages.reduce((sum, message) => sum + align(messageBytes(message)), 0));
  let offset = 0;
  messages.forEach((message, index) => {
    const size = messageBytes(message);
    writeU32(out, size, offset);
    writeU16(out, message.type, offset + 4);
    writeU16(out, message.flags, offset + 6);
    writeU32(out, (firstSequence + index) >>> 0, offset + 8);
    out.set(message.header, offset + HEADER_BYTES);
    writeAttributes(message.attributes, out, offset + HEADER_BYTES + align(message.header.length));
    offset += align(size);
  });
  return out;
}

/** Attributes alone, as they stand inside a message. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  const out = Buffer.alloc(attributesBytes(attributes));
  writeAttributes(attributes, out, 0);
  return out;
}

/** Splits a datagram. @throws RangeError when a length runs out of it */
export function decodeMessages(datagram: Buffer): Received[] {
  const out: Received[] = [];
  for (let offset = 0; offset + HEADER_BYTES <= datagram.length; ) {
    const size = readU32(datagram, offset);
    if (size < HEADER_BYTES || offset + size > datagram.length)
      throw new RangeError(`netlink message of ${size} bytes`);
    out.push({
      type: readU16(datagram, offset + 4),
      flags: readU16(datagram, offset + 6),
      sequence: readU32(datagram, offset + 8),
      body: datagram.subarray(offset + HEADER_BYTES, offset + size),
    });
    offset += align(size);
  }
  return out;
}

/** Attributes by type; of a repeated type the last one. @throws RangeError when a length runs out of the bytes */
export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  return new Map(decodeAttributeList(bytes));
}

/** Attributes in order, repeats kept, for lists. @throws RangeError as decodeAttributes */
export function decodeAttributeList(bytes: Buffer): [number, Buffer][] {
  const out: [number, Buffer][] = [];
  for (let offset = 0; offset + 4 <= bytes.length; ) {
    const size = readU16(bytes, offset);
    if (size < 4 || offset + size > bytes.length) throw new RangeError(`netlink attribute of ${size} bytes`);
    out.push([readU16(bytes, offset + 2) & NLA_TYPE_MASK, bytes.subarray(offset + 4, offset + size)]);
    offset += align(size);
  }
  return out;
}

/** Reads an NLMSG_ERROR (an acknowledgement is one with errno 0) or a NLMSG_DONE. @source netlink(7), NETLINK_EXT_ACK */
export function decodeAcknowledgement(message: Received): Acknowledgement {
  const { body, flags, sequence } = message;
  const errno = body.length >= 4 ? 0 - readI32(body, 0) : 0;
  if (message.type !== NLMSG_ERROR || !(flags & NLM_F_ACK_TLVS)) return { sequence, errno, text: '' };
  const echoed = flags & NLM_F_CAPPED ? HEADER_BYTES : align(readU32(body, 4));
  const extra = decodeAttributes(body.subarray(4 + echoed)).get(NLMSGERR_ATTR_MSG);
  return { sequence, errno, text: extra ? readText(extra) : '' };
}

function align(size: number): number {
  return (size + 3) & ~3;
}

function messageBytes(message: Message): number {
  return HEADER_BYTES + align(message.header.length) + attributesBytes(message.attributes);
}

function attributesBytes(attributes: readonly Attribute[]): number {
  return attributes.reduce((sum, { value }) => sum + align(4 + valueBytes(value)), 0);
}

function valueBytes(value: Attribute['value']): number {
  return value instanceof Uint8Array ? value.length : attributesBytes(value);
}

function writeAttributes(attributes: readonly Attribute[], out: Buffer, start: number): void {
  let offset = start;
  for (const { type, value } of attributes) {
    const size = 4 + valueBytes(value);
    const raw = value instanceof Uint8Array;
    writeU16(out, size, offset);
    writeU16(out, raw ? type : type | NLA_F_NESTED, offset + 2);
    if (raw) out.set(value, offset + 4);
    else writeAttributes(value, out, offset + 4);
    offset += align(size);
  }
}

function writeU16(out: Buffer, value: number, offset: number): void {
  if (little) out.writeUInt16LE(value, offset);
  else out.writeUInt16BE(value, offset);
}

function writeU32(out: Buffer, value: number, offset: number): void {
  if (little) out.writeUInt32LE(value, offset);
  else out.writeUInt32BE(value, offset);
}
