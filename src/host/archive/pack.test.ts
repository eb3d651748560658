import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type ByteString, bytesOfText as b } from '../../lib/bytes.ts';
import { type TarEntry, TarReader } from '../../lib/tar/index.ts';
import { libc } from '../libc.ts';
import { MountedRoot, type MountedTree } from '../rooted/index.ts';
import { packTree } from './pack.ts';

let base = '';
let root = '';
const fds: number[] = [];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-pack-'));
  root = join(base, 'root');
  mkdirSync(root);
});
afterEach(() => {
  for (const fd of fds.splice(0)) libc.close(fd);
  rmSync(base, { recursive: true });
});

const at = (path: string) => join(root, path);
const open = (path: string): number => {
  const fd = openSync(path, 'r');
  fds.push(fd);
  return fd;
};

interface Packed extends TarEntry {
  content: string;
}

/** Reads an archive; a truncated one fails. */
function read(pieces: Iterable<Buffer>): Packed[] {
  const entries: Packed[] = [];
  const reader = new TarReader({
    entry: (entry) => void entries.push({ ...entry, content: '' }),
    data(bytes) {
      const last = entries.at(-1);
      if (last) last.content += bytes.toString('latin1');
    },
    entryEnd() {},
  });
  for (const piece of pieces) reader.write(piece);
  reader.end();
  return entries;
}

/** The pieces of an archive of `path`, called `name` there. */
function* pieces(
  path: string,
  name: string,
  trees: readonly MountedTree[] = [],
  keepsPieces = false,
): Generator<Buffer> {
  const mounted = new MountedRoot(open(root), trees, false);
  using place = mounted.open(b(path), { follow: false });
  yield* packTree({ root: mounted, place, name: name as ByteString, keepsPieces });
}
/** One after the other, none kept: the memory of a piece is used again. */
function* chain(first: Iterable<Buffer>, rest: Iterable<Buffer>): Generator<Buffer> {
  yield* first;
  yield* rest;
}
const pack = (path = '/', name = '.') => read(pieces(path, name));
const lines = (entries: readonly Packed[]) => entries.map(({ name, type }) => `${type} ${name}`);

test('an archive can be written by any tar: folders before what is in them, in the order of names, all below one name', () => {
  mkdirSync(at('dir/b'), { recursive: true });
  for (const name of ['z', 'dir/b/deep', 'dir/a', 'dir/c']) writeFileSync(at(name), name);
  assert.deepEqual(lines(pack('/dir', 'renamed')), [
    'directory renamed/',
    'file renamed/a',
    'directory renamed/b/',
    'file renamed/b/deep',
    'file renamed/c',
  ]);
});

test('the names of a root’s files are absolute, of a single file its own, and of a folder’s content relative', () => {
  writeFileSync(at('file'), 'x');
  assert.deepEqual(lines(pack('/', '/')), ['directory /', 'file /file']);
  assert.deepEqual(lines(pack('/file', 'file')), ['file file']);
  assert.deepEqual(lines(pack('/', '.')), ['directory ./', 'file ./file']);
});

test('content, mode, owner and time are those of the file; times have whole seconds, as Docker’s archives do', () => {
  writeFileSync(at('tool'), 'x'.repeat(700));
  chmodSync(at('tool'), 0o4751);
  utimesSync(at('tool'), 1000.75, 1000.75);
  const [tool] = pack('/tool', 'tool');
  assert.deepEqual(
    [tool?.content.length, tool?.mode, tool?.uid, tool?.gid],
    [700, 0o4751, process.getuid?.(), process.getgid?.()],
  );
  assert.deepEqual(tool?.mtime, { seconds: 1000, nanoseconds: 0 });
});

test('a link is packed as a link, wherever it leads, and what it leads to is not', () => {
  writeFileSync(join(base, 'secret'), 'outside');
  symlinkSync(join(base, 'secret'), at('leak'));
  symlinkSync('..', at('up'));
  const entries = pack();
  assert.deepEqual(lines(entries), ['directory ./', 'symlink ./leak', 'symlink ./up']);
  assert.deepEqual(
    entries.map(({ linkName }) => linkName),
    ['', join(base, 'secret'), '..'],
  );
});

test('a second name of a file is a hard link to the first, so that a copy takes no more room', () => {
  mkdirSync(at('b'));
  writeFileSync(at('b/one'), 'content');
  linkSync(at('b/one'), at('c'));
  linkSync(at('b/one'), join(base, 'outside'));
  const entries = pack('/', '/');
  assert.deepEqual(lines(entries), ['directory /', 'directory /b/', 'file /b/one', 'hardlink /c']);
  assert.deepEqual([entries[3]?.linkName, entries[3]?.size], ['/b/one', 0]);
});

test('a socket is left out and a fifo is not waited for', async () => {
  execFileSync('mkfifo', [at('fifo')]);
  const server = createServer().listen(at('socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    assert.deepEqual(lines(pack()), ['directory ./', 'fifo ./fifo']);
  } finally {
    server.close();
  }
});

test('a file that grows while it is packed gives what was announced, and the archive stays whole', () => {
  writeFileSync(at('a-log'), 'x'.repeat(100));
  writeFileSync(at('b'), 'after');
  const packing = pieces('/', '.');
  const first = [packing.next().value, packing.next().value] as Buffer[];
  writeFileSync(at('a-log'), 'y'.repeat(5000));
  const entries = read(chain(first, packing));
  assert.deepEqual(
    entries.map(({ content }) => content.length),
    [0, 100, 5],
  );
});

test('a file that shrinks while it is packed is filled up with zeros, and the archive stays whole', () => {
  writeFileSync(at('a-log'), 'x'.repeat(3000));
  writeFileSync(at('b'), 'after');
  const packing = pieces('/', '.');
  const first = [packing.next().value, packing.next().value] as Buffer[];
  truncateSync(at('a-log'), 10);
  const [, log, after] = read(chain(first, packing));
  assert.equal(
    log?.content.replace(/\0+$/, (zeros) => ` and ${zeros.length} zeros`),
    'xxxxxxxxxx and 2990 zeros',
  );
  assert.equal(after?.content, 'after');
});

test('a file that goes away meanwhile is left out', () => {
  writeFileSync(at('a'), '');
  writeFileSync(at('b'), '');
  const packing = pieces('/', '.');
  const first = [packing.next().value, packing.next().value] as Buffer[];
  rmSync(at('b'));
  assert.deepEqual(lines(read(chain(first, packing))), ['directory ./', 'file ./a']);
});

test('volumes are packed where the container sees them, also where its image has no folder for them', () => {
  mkdirSync(at('data/hidden'), { recursive: true });
  for (const path of ['volume', 'other']) mkdirSync(join(base, path));
  writeFileSync(join(base, 'volume/file'), 'v');
  const trees = [
    { path: b('/data'), fd: open(join(base, 'volume')), readOnly: true },
    { path: b('/extra'), fd: open(join(base, 'other')), readOnly: false },
  ];
  assert.deepEqual(lines(read(pieces('/', '/', trees))), [
    'directory /',
    'directory /data/',
    'file /data/file',
    'directory /extra/',
  ]);
});

test('pieces that are kept are not written over by those that come later', () => {
  for (const letter of 'abc') writeFileSync(at(letter), letter.repeat(600));
  const kept = [...pieces('/', '.', [], true)];
  assert.deepEqual(
    read(kept).map(({ content }) => content.slice(0, 2)),
    ['', 'aa', 'bb', 'cc'],
  );
});

test('names that are long, wide or no UTF-8 arrive as they are', () => {
  const names = ['ä€😀', 'n'.repeat(255), 'two\nlines'].map((name) => Buffer.from(name));
  names.push(Buffer.from([0x63, 0xe9]));
  for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), name]), '');
  const found = pack('/', '/').map(({ name }) => name.slice(1));
  assert.deepEqual(found, ['', ...names.map((name) => name.toString('latin1')).sort()]);
});

test('an archive that nobody reads to its end keeps nothing open', () => {
  mkdirSync(at('a/b/c'), { recursive: true });
  writeFileSync(at('a/b/c/file'), 'x'.repeat(10));
  const mounted = new MountedRoot(open(root), [], false);
  const before = readdirSync('/proc/self/fd').length;
  {
    using place = mounted.open(b('/'));
    const packing = packTree({ root: mounted, place, name: b('/'), keepsPieces: false });
    for (let n = 0; n < 5; n++) packing.next();
    packing.return();
  }
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
