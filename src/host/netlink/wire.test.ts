import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attribute,
  decodeAcknowledgement,
  decodeAttributeList,
  decodeAttributes,
  decodeMessages,
  encodeMessages,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  readText,
  text,
  u8,
  u32,
} from './wire.ts';

const message = {
  type: 16,
  flags: NLM_F_REQUEST | NLM_F_ACK,
  header: Uint8Array.of(1, 2, 3, 4),
  attributes: [attribute(3, text('eth0')), attribute(18, [attribute(1, u8(7)), attribute(2, u32(9))])],
};

test('messages are laid out as netlink(7) says: lengths without padding, everything on four bytes', () => {
  const bytes = encodeMessages([message, message], 5);
  const one =
    '34000000 1000 0500 05000000 00000000' + // 52 bytes, type 16, REQUEST|ACK, sequence 5, port 0
    '01020304' +
    '0900 0300 6574683000 000000' + // IFNAME "eth0\0"
    '1400 1280 0500 0100 07 000000 0800 0200 09000000'; // a nest of two
  const expected = one.replaceAll(' ', '');
  assert.equal(bytes.subarray(0, 52).toString('hex'), expected);
  assert.equal(bytes.subarray(52).toString('hex'), expected.replace('05000000', '06000000'));
});

test('what was written is read back', () => {
  const [first, second] = decodeMessages(encodeMessages([message, message], 5));
  assert.equal(second?.sequence, 6);
  const attributes = decodeAttributes(first?.body.subarray(4) ?? Buffer.alloc(0));
  assert.equal(readText(attributes.get(3) ?? Buffer.alloc(0)), 'eth0');
  assert.deepEqual(
    decodeAttributeList(attributes.get(18) ?? Buffer.alloc(0)).map(([type, value]) => [type, value[0]]),
    [
      [1, 7],
      [2, 9],
    ],
  );
});

test('an error carries its number and the kernel’s own words', () => {
  const words = Buffer.from('Device does not exist\0');
  const echoed = Buffer.alloc(16);
  const tlv = Buffer.concat([Buffer.from([words.length + 4, 0, 1, 0]), words]);
  const body = Buffer.concat([Buffer.from([0xed, 0xff, 0xff, 0xff]), echoed, tlv]);
  const error = { type: NLMSG_ERROR, flags: 0x300, sequence: 3, body };
  assert.deepEqual(decodeAcknowledgement(error), { sequence: 3, errno: 19, text: 'Device does not exist' });
  assert.deepEqual(decodeAcknowledgement({ ...error, flags: 0, body: Buffer.alloc(20) }), {
    sequence: 3,
    errno: 0,
    text: '',
  });
});

test('lengths that lie are refused, and never read past the end', () => {
  const good = encodeMessages([message], 1);
  for (const size of [0, 15, 57, 0xffffffff]) {
    const bad = Buffer.from(good);
    bad.writeUInt32LE(size, 0);
    assert.throws(() => decodeMessages(bad), RangeError);
  }
  for (const size of [0, 3, 200]) {
    const bad = Buffer.alloc(8);
    bad.writeUInt16LE(size, 0);
    assert.throws(() => decodeAttributes(bad), RangeError);
  }
});
