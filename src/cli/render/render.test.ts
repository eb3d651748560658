// Pins sizes, times, columns and progress to Docker's look.
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { ProgressMessage } from '../../client/index.ts';
import { indentJson } from './json-indent.ts';
import { naturalCompare } from './natural-order.ts';
import { plainText, progressText, showProgress } from './progress.ts';
import { alignTable } from './table.ts';
import { binarySize, ellipsis, humanSize } from './units.ts';

test('sizes are decimal for images and binary for memory', () => {
  assert.deepEqual(
    [0, 999, 1000, 2_067_000, 198_900_000, 1.5e9].map((bytes) => humanSize(bytes)),
    ['0B', '999B', '1kB', '2.07MB', '199MB', '1.5GB'],
  );
  assert.equal(humanSize(2_067_000, 4), '2.067MB');
  assert.equal(binarySize(25_272_000_000), '23.54GiB');
});

test('a long text ends in an ellipsis', () => {
  assert.equal(ellipsis('sh -c "sleep 1000; echo"', 20), 'sh -c "sleep 1000; …');
  assert.equal(ellipsis('short', 20), 'short');
});

test('columns are ten wide at least and three apart; a line of another shape starts anew', () => {
  assert.equal(alignTable('A\tB\nlonger than ten\tx\n'), 'A                 B\nlonger than ten   x\n');
  assert.equal(alignTable('A\tB\n\nC\tD\n'), 'A         B\n\nC         D\n');
});

test('numbers in names count as numbers', () => {
  assert.deepEqual(['v10', 'v2', 'a', 'v1'].sort(naturalCompare), ['a', 'v1', 'v2', 'v10']);
});

test('indenting changes no digit and no order', () => {
  assert.equal(
    indentJson('[{"b":12345678901234567890,"a":[],"c":{"x":"[{"}}]'),
    '[\n    {\n        "b": 12345678901234567890,\n        "a": [],\n        "c": {\n            "x": "[{"\n        }\n    }\n]',
  );
});

const MOVING: ProgressMessage = {
  id: 'ab',
  status: 'Downloading',
  progressDetail: { current: 1_200_000, total: 3_000_000 },
};

test('a pipe gets phases, not bars', () => {
  assert.equal(plainText(MOVING), '');
  assert.equal(plainText({ id: 'ab', status: 'Pull complete', progressDetail: {} }), 'ab: Pull complete\n');
});

test('a bar shows how far it is', () => {
  assert.equal(progressText(MOVING, 200), `[${'='.repeat(20)}>${' '.repeat(30)}]    1.2MB/3MB`);
  assert.equal(progressText(MOVING, 80), '   1.2MB/3MB');
});

test('a terminal gets one line a layer, rewritten in place; an error ends it', async () => {
  let screen = '';
  const output = Object.assign(
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        screen += chunk.toString();
        done();
      },
    }),
    { isTTY: true, columns: 80 },
  );
  async function* messages(): AsyncGenerator<ProgressMessage, void, undefined> {
    yield { status: 'Pulling from x', id: 'latest' };
    yield { id: 'a1', status: 'Waiting', progressDetail: {} };
    yield { id: 'b2', status: 'Waiting', progressDetail: {} };
    yield { id: 'a1', status: 'Pull complete', progressDetail: {} };
    yield { errorDetail: { message: 'disk full' }, error: 'disk full' };
  }
  await assert.rejects(showProgress(messages(), { output }), { message: 'disk full' });
  assert.equal(
    screen,
    'latest: Pulling from x\n' +
      '\n\x1b[1A\x1b[2K\ra1: Waiting \r\x1b[1B' +
      '\n\x1b[1A\x1b[2K\rb2: Waiting \r\x1b[1B' +
      '\x1b[2A\x1b[2K\ra1: Pull complete \r\x1b[2B',
  );
});
