import assert from 'node:assert/strict';
import { appendFileSync, linkSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LogCursor, logFiles, type OpenLogFile, openLogFiles, readGzip, tailPosition } from './files.ts';

let dir = '';
let count = 0;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-log-files-'));
});
after(() => rmSync(dir, { recursive: true }));

/** A log of files by suffix: `''` is the newest. */
function log(files: Readonly<Record<string, string | Buffer>>): string {
  const path = join(dir, `${++count}.log`);
  for (const [suffix, text] of Object.entries(files)) writeFileSync(path + suffix, text);
  return path;
}

/** Runs `work` on the opened files, and closes them. */
async function opened<T>(path: string, work: (files: readonly OpenLogFile[]) => Promise<T>): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const files = await openLogFiles(path);
  for (const file of files) stack.use(file);
  return await work(files);
}

const cursorOf = async (path: string): Promise<LogCursor> => (await LogCursor.open(path)) ?? assert.fail('not opened');

test('a log’s files come oldest first; one that is missing in a rotation hides no older one, and strangers are not read', async () => {
  for (const [suffixes, wanted] of [
    [[''], ['']],
    [
      ['', '.1', '.2'],
      ['.2', '.1', ''],
    ],
    [
      ['', '.1', '.2.gz', '.3.gz'],
      ['.3.gz', '.2.gz', '.1', ''],
    ],
    [
      ['', '.2'],
      ['.2', ''],
    ],
    [
      ['.1', '.2'],
      ['.2', '.1'],
    ],
    [
      ['', '.1', '.4'],
      ['.1', ''],
    ],
    [
      ['', '.1', '.1.gz'],
      ['.1', ''],
    ],
    [['', '.gz', '.0', '.x', '.01'], ['']],
    [[], []],
  ] as const) {
    const path = log(Object.fromEntries(suffixes.map((suffix) => [suffix, suffix])));
    const expected = wanted.map((suffix) => basename(path) + suffix);
    assert.deepEqual(
      (await logFiles(path)).map((file) => basename(file)),
      expected,
      suffixes.join(' '),
    );
    const zipped = await opened(path, async (files) => files.map((file) => file.zipped));
    assert.deepEqual(
      zipped,
      wanted.map((suffix) => suffix.endsWith('.gz')),
      suffixes.join(' '),
    );
  }
});

test('a file that two names lead to in the middle of a rotation is read once', async () => {
  const path = log({ '.1': 'a' });
  linkSync(`${path}.1`, path);
  assert.equal(await opened(path, async (files) => files.length), 1);
});

test('lines come whole, also those longer than a block; an unfinished one waits for its end', async () => {
  const long = `${'ä'.repeat(300_000)}\n`;
  const path = log({ '': `a\n${long}unfin` });
  await using cursor = await cursorOf(path);
  let text = '';
  for (let piece = await cursor.read(); piece !== ''; piece = await cursor.read()) {
    assert.ok(piece.endsWith('\n'));
    text += piece;
  }
  assert.equal(text, `a\n${long}`);
  appendFileSync(path, 'ished\n');
  assert.equal(await cursor.read(), 'unfinished\n');
  assert.equal(await cursor.read(), '');
});

test('a character that a block cuts in two arrives whole', async () => {
  await using cursor = await cursorOf(log({ '': 'ä€\n€ä\n' }));
  let text = '';
  for (let piece = await cursor.read(3); piece !== ''; piece = await cursor.read(3)) text += piece;
  assert.equal(text, 'ä€\n€ä\n');
});

test('a slow follower takes no more than it asked for', async () => {
  await using cursor = await cursorOf(log({ '': 'one\ntwo\nthree\n' }));
  assert.equal(await cursor.read(8), 'one\ntwo\n');
  assert.equal(await cursor.read(8), 'three\n');
});

test('a log kept in one file that was cut to nothing is followed from its new beginning', async () => {
  const path = log({ '': 'old line\nhalf' });
  await using cursor = await cursorOf(path);
  assert.equal(await cursor.read(), 'old line\n');
  assert.equal(await cursor.read(), '');
  truncateSync(path);
  appendFileSync(path, 'new\n');
  assert.equal(await cursor.read(), 'new\n', 'and nothing of the half line before');
});

test('a file stays readable when it is renamed and removed meanwhile', async () => {
  const path = log({ '': 'a\nb\n' });
  await using cursor = await cursorOf(path);
  assert.equal(await cursor.read(2), 'a\n');
  renameSync(path, `${path}.1`);
  rmSync(`${path}.1`);
  assert.equal(await cursor.read(2), 'b\n');
  assert.equal(await LogCursor.open(path), undefined);
});

test('with an end, what is written after it is left to others', async () => {
  const path = log({ '': 'a\nb\n' });
  await opened(path, async ([file]) => {
    assert.ok(file);
    const cursor = new LogCursor(file, 2, file.size);
    appendFileSync(path, 'c\n');
    assert.equal(await cursor.read(), 'b\n');
    assert.equal(await cursor.read(), '');
  });
});

test('--tail begins at the right line, across files, zipped ones and files larger than a block', async () => {
  const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${from + n}\n`).join('');
  const wide = (n: number) => `${'x'.repeat(40_000)}${n}\n`;
  for (const [what, files, tail, file, offset, skipLines] of [
    ['nothing', { '': lines(0, 5) }, 0, 0, 10, 0],
    ['the last', { '': lines(0, 5) }, 1, 0, 8, 0],
    ['all of it', { '': lines(0, 5) }, 5, 0, 0, 0],
    ['more than there is', { '': lines(0, 5) }, 50, 0, 0, 0],
    ['a line without an end is not counted', { '': '0\n1\n2' }, 1, 0, 2, 0],
    ['exactly the newest file', { '.1': lines(0, 5), '': lines(5, 7) }, 2, 1, 0, 0],
    ['one of the older', { '.1': lines(0, 5), '': lines(5, 7) }, 3, 0, 8, 0],
    ['past an empty newest', { '.1': lines(0, 5), '': '' }, 1, 0, 8, 0],
    ['in a zipped file', { '.1.gz': gzipSync(lines(0, 5)), '': lines(5, 7) }, 4, 0, 0, 3],
    ['all of a zipped file', { '.1.gz': gzipSync(lines(0, 5)), '': lines(5, 7) }, 7, 0, 0, 0],
    ['blocks away', { '': wide(1) + wide(2) + wide(3) + wide(4) }, 3, 0, 40_002, 0],
    ['an empty log', { '': '' }, 3, 0, 0, 0],
  ] as const) {
    const found = await opened(log(files), (all) => tailPosition(all, tail));
    assert.deepEqual(found, { file, offset, skipLines }, what);
  }
});

test('a damaged zipped file fails with a reason, not with half its lines', async () => {
  const zipped = gzipSync('a\nb\n');
  const path = log({ '.1.gz': zipped.subarray(0, zipped.length - 6), '': '' });
  await assert.rejects(
    opened(path, ([file]) => readGzip(file ?? assert.fail())),
    { code: 'Z_BUF_ERROR' },
  );
});
