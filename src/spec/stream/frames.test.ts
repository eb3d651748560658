// Pins Docker's frame format: a user would lose output, or see stderr on stdout.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrameDecoder, encodeFrameHeader, type FramePiece, type FrameStream } from './frames.ts';

function frame(stream: FrameStream, text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([encodeFrameHeader(stream, payload.length), payload]);
}

function join(pieces: readonly FramePiece[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const piece of pieces) texts[piece.stream] = (texts[piece.stream] ?? '') + Buffer.from(piece.payload).toString();
  return texts;
}

test('a header is the stream number, three zeros and a big-endian length', () => {
  assert.deepEqual([...encodeFrameHeader('stderr', 258)], [2, 0, 0, 0, 0, 0, 1, 2]);
});

test('stdout and stderr stay apart however the bytes are cut', () => {
  const wire = Buffer.concat([
    frame('stdout', 'one\n'),
    frame('stderr', 'two\n'),
    frame('stdout', ''),
    frame('stdout', 'three'),
  ]);
  for (let size = 1; size <= wire.length; size++) {
    const decoder = createFrameDecoder();
    const pieces: FramePiece[] = [];
    for (let at = 0; at < wire.length; at += size) pieces.push(...decoder.push(wire.subarray(at, at + size)));
    decoder.end();
    assert.deepEqual(join(pieces), { stdout: 'one\nthree', stderr: 'two\n' }, `cut every ${size} bytes`);
  }
});

test('a stream cut inside a frame is reported, not swallowed', () => {
  const decoder = createFrameDecoder();
  decoder.push(frame('stdout', 'half').subarray(0, 10));
  assert.throws(() => decoder.end(), { code: 'FRAME_TRUNCATED' });
});

test('a byte that is no stream number is refused', () => {
  assert.throws(() => createFrameDecoder().push(Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 1)), {
    code: 'FRAME_UNKNOWN_STREAM',
  });
});
