import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameDecoder, decodePayload, encodeFrame, type Field, fieldOf, MAX_PAYLOAD_BYTES } from './frame.ts';

const SAMPLE: readonly Field[] = [
  ['op', 'spawn'],
  ['arg', 'crun'],
  ['arg', ''],
  ['arg', 'a=b\nc'],
  ['text', 'ü'],
];

test('what was sent is what arrives, however the bytes were cut', () => {
  const bytes = Buffer.concat([encodeFrame(SAMPLE), encodeFrame([]), encodeFrame([['seq', '2']])]);
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = createFrameDecoder();
    const frames: Field[][] = [];
    for (let at = 0; at < bytes.length; at += size) frames.push(...decoder.push(bytes.subarray(at, at + size)));
    assert.deepEqual(frames, [SAMPLE, [], [['seq', '2']]]);
  }
});

test('a value that would break the message is refused before it is sent', () => {
  assert.throws(() => encodeFrame([['arg', 'a\0b']]), { code: 'SHIM_FRAME_INVALID' });
  assert.throws(() => encodeFrame([['a=b', '']]), { code: 'SHIM_FRAME_INVALID' });
  assert.throws(() => encodeFrame([['arg', 'x'.repeat(MAX_PAYLOAD_BYTES)]]), { code: 'SHIM_FRAME_INVALID' });
});

test('a peer that talks nonsense is found out at once', () => {
  assert.throws(() => createFrameDecoder().push(Buffer.from([0xff, 0, 0, 0])), { code: 'SHIM_FRAME_INVALID' });
  assert.throws(() => decodePayload(Buffer.from('no end=1')), { code: 'SHIM_FRAME_INVALID' });
  assert.throws(() => decodePayload(Buffer.from('noequals\0')), { code: 'SHIM_FRAME_INVALID' });
});

test('the last of a repeated key counts', () => {
  assert.equal(fieldOf(SAMPLE, 'arg'), 'a=b\nc');
  assert.equal(fieldOf(SAMPLE, 'none'), undefined);
});
