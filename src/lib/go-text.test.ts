// Pins sizes, durations, CPU counts and CSV to Go's and Docker's reading.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goQuote, parseBytes, parseCsvRecord, parseGoDuration, parseGoInt, parseNanoCpus } from './go-text.ts';

test('sizes count by 1024', () => {
  const sizes: Readonly<Record<string, number>> = {
    '0': 0,
    '512': 512,
    '1k': 1024,
    '1KB': 1024,
    '1kib': 1024,
    '512m': 512 * 1024 ** 2,
    '1.5g': 1.5 * 1024 ** 3,
    '2 GB': 2 * 1024 ** 3,
    '10b': 10,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseBytes(text), bytes, text);
  for (const text of ['', 'abc', '-1', '1x', '1kbb']) assert.throws(() => parseBytes(text), text);
});

test('durations are nanoseconds', () => {
  assert.equal(parseGoDuration('1h30m'), 5400e9);
  assert.equal(parseGoDuration('-1.5s'), -1.5e9);
  assert.equal(parseGoDuration('250ms'), 250e6);
  assert.throws(() => parseGoDuration('5'), { message: 'time: missing unit in duration "5"' });
  assert.throws(() => parseGoDuration('5x'), { message: 'time: unknown unit "x" in duration "5x"' });
});

test('CPU counts are billionths', () => {
  assert.equal(parseNanoCpus('1.5'), 1_500_000_000);
  assert.equal(parseNanoCpus('.25'), 250_000_000);
  assert.equal(parseNanoCpus('1/4'), 250_000_000);
  assert.throws(() => parseNanoCpus('0.1234567891'), { message: 'value is too precise' });
});

test('integers outside 64 bits are refused', () => {
  assert.equal(parseGoInt('0x10'), 16);
  assert.throws(() => parseGoInt('9223372036854775808'), /value out of range$/);
});

test('quoted CSV fields keep their commas', () => {
  assert.deepEqual(parseCsvRecord('a,"b,c","d""e",'), ['a', 'b,c', 'd"e', '']);
  assert.throws(() => parseCsvRecord('a"b'), /bare " in non-quoted-field/);
});

test('quoting escapes what Go escapes', () => {
  assert.equal(goQuote('a"b\\\n\té\u0001'), '"a\\"b\\\\\\n\\té\\x01"');
});
