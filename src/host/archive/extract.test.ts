import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type ByteString, bytesOfText as b } from '../../lib/bytes.ts';
import { TAR_END, type TarEntryInput, tarHeader, tarPadding } from '../../lib/tar/index.ts';
import { libc } from '../libc.ts';
import { MountedRoot } from '../rooted/index.ts';
import { type ExtractOptions, TarExtractor } from './extract.ts';

let base = '';
let root = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'gantry-extract-'));
  root = join(base, 'root');
  mkdirSync(root);
  mkdirSync(join(base, 'outside'));
});
afterEach(() => rmSync(base, { recursive: true }));

type Entry = Omit<Partial<TarEntryInput>, 'name' | 'linkName'> & {
  readonly name: string;
  readonly linkName?: string;
  readonly content?: string;
};

/** One entry with its payload; a file unless it says otherwise. */
function packed({ name, linkName = '', content = '', type = 'file', ...rest }: Entry): Buffer {
  const header = tarHeader({ ...rest, type, name: b(name), linkName: b(linkName), size: content.length });
  return Buffer.concat([header, Buffer.from(content), tarPadding(content.length)]);
}

/** Extracts entries as whoever runs this, given to the extractor in pieces of `pieceBytes`. */
function extract(entries: readonly Entry[], options: Partial<ExtractOptions> = {}, pieceBytes = 1 << 20): void {
  const fd = openSync(root, 'r');
  try {
    const whole: ExtractOptions = { target: '/target', noOverwriteDirNonDir: false, owner: 'process', ...options };
    using extractor = new TarExtractor(new MountedRoot(fd, [], false), whole);
    const bytes = Buffer.concat([...entries.map(packed), TAR_END]);
    for (let at = 0; at < bytes.length; at += pieceBytes) extractor.write(bytes.subarray(at, at + pieceBytes));
    extractor.end();
  } finally {
    libc.close(fd);
  }
}

const at = (path: string) => join(root, path);
const inside = (path: string) => readFileSync(at(path), 'utf8');
const outside = () => readdirSync(join(base, 'outside'));

test('an archive names its files in many ways, and all of them mean a place in the folder', () => {
  for (const name of ['plain', './dot', '/absolute', 'a//b', 'a/./c', 'a/../up']) extract([{ name }]);
  assert.deepEqual(
    readdirSync(root, { recursive: true, encoding: 'utf8' }).sort(),
    ['a', 'a/b', 'a/c', 'absolute', 'dot', 'plain', 'up'].sort(),
  );
});

test('names that climb out of the folder are refused, and nothing is written there', () => {
  const climbing = ['..', '../x', 'a/../../x', '/../x', './../x', 'a/b/../../../outside/x'];
  for (const name of climbing) {
    assert.throws(() => extract([{ name }]), {
      kind: 'system',
      code: 'ENTRY_NAME',
      message: `invalid entry name ${JSON.stringify(name)}`,
    });
  }
  assert.throws(() => extract([{ name: 'x', type: 'hardlink', linkName: '../outside/y' }]), {
    code: 'ENTRY_NAME',
    message: 'invalid hardlink target "../outside/y"',
  });
  assert.deepEqual(readdirSync(base).sort(), ['outside', 'root']);
});

test('a link that the archive made, or that was there, leads its later files nowhere out of the folder', () => {
  const away = join(base, 'outside');
  extract([
    { name: 'absolute', type: 'symlink', linkName: away },
    { name: 'absolute/x', content: 'trapped' },
    { name: 'climbing', type: 'symlink', linkName: '../outside' },
    { name: 'climbing/y', content: 'trapped' },
  ]);
  symlinkSync(away, at('found'));
  extract([{ name: 'found/z', content: 'trapped' }]);
  assert.deepEqual(outside(), []);
  assert.equal(inside(`${away.slice(1)}/x`), 'trapped');
});

test('a file over a link replaces the link and not what it leads to', () => {
  writeFileSync(join(base, 'outside/victim'), 'safe');
  symlinkSync(join(base, 'outside/victim'), at('link'));
  extract([{ name: 'link', content: 'new' }]);
  assert.equal(readFileSync(join(base, 'outside/victim'), 'utf8'), 'safe');
  assert.equal(inside('link'), 'new');
});

test('a file over one of two names of a file leaves the other name as it was', () => {
  writeFileSync(at('one'), 'old');
  linkSync(at('one'), at('two'));
  extract([{ name: 'one', content: 'new' }]);
  assert.deepEqual([inside('one'), inside('two')], ['new', 'old']);
});

test('modes, times and content arrive, a setuid bit too, whatever the umask', () => {
  const before = process.umask(0o077);
  try {
    extract([
      { name: 'dir', type: 'directory', mode: 0o1775, mtime: { seconds: 1000, nanoseconds: 0 } },
      { name: 'dir/tool', mode: 0o4755, content: 'x', mtime: { seconds: 2000, nanoseconds: 500_000_000 } },
      { name: 'dir/fifo', type: 'fifo', mode: 0o666, mtime: { seconds: 3000, nanoseconds: 0 } },
    ]);
  } finally {
    process.umask(before);
  }
  const facts = (path: string) => [statSync(at(path)).mode & 0o7777, statSync(at(path)).mtimeMs];
  assert.deepEqual(facts('dir/tool'), [0o4755, 2_000_500]);
  assert.deepEqual(facts('dir/fifo'), [0o666, 3_000_000]);
  assert.deepEqual(facts('dir'), [0o1775, 1_000_000], 'set after what is in it was written');
});

test('a link keeps its text and its own time, and what it leads to keeps its time', () => {
  writeFileSync(at('target'), '');
  const { mtimeMs } = statSync(at('target'));
  extract([{ name: 'link', type: 'symlink', linkName: 'target', mtime: { seconds: 5, nanoseconds: 0 } }]);
  assert.equal(readlinkSync(at('link')), 'target');
  assert.deepEqual([lstatSync(at('link')).mtimeMs, statSync(at('target')).mtimeMs], [5000, mtimeMs]);
});

test('a hard link is a second name of the file, also of one that lies behind a link, and is made to no other tree', () => {
  extract([
    { name: 'dir/file', content: 'x' },
    { name: 'alias', type: 'symlink', linkName: 'dir' },
    { name: 'second', type: 'hardlink', linkName: 'dir/file' },
    { name: 'third', type: 'hardlink', linkName: '/alias/file' },
    { name: 'link-again', type: 'hardlink', linkName: 'alias' },
  ]);
  assert.equal(statSync(at('dir/file')).nlink, 3);
  assert.equal(statSync(at('third')).ino, statSync(at('dir/file')).ino);
  assert.equal(lstatSync(at('link-again')).ino, lstatSync(at('alias')).ino, 'of a link, not of what it leads to');
  assert.throws(() => extract([{ name: 'fourth', type: 'hardlink', linkName: 'absent' }]), { code: 'ENOENT' });
});

test('a folder that is there keeps its content and takes the archive’s mode; a file over it replaces all of it', () => {
  mkdirSync(at('dir/deep'), { recursive: true });
  writeFileSync(at('dir/deep/kept'), 'k');
  extract([{ name: 'dir', type: 'directory', mode: 0o700 }]);
  assert.equal(statSync(at('dir')).mode & 0o777, 0o700);
  assert.ok(existsSync(at('dir/deep/kept')));
  extract([{ name: 'dir', content: 'file now' }]);
  assert.equal(inside('dir'), 'file now');
  extract([{ name: 'dir', type: 'directory' }]);
  assert.ok(statSync(at('dir')).isDirectory());
});

test('with noOverwriteDirNonDir a folder and a file do not replace each other', () => {
  mkdirSync(at('dir'));
  writeFileSync(at('file'), 'f');
  const options = { noOverwriteDirNonDir: true };
  assert.throws(() => extract([{ name: 'dir' }], options), {
    code: 'OVERWRITE_REFUSED',
    message: 'cannot overwrite directory "dir" with non-directory "/target"',
  });
  assert.throws(() => extract([{ name: 'file', type: 'directory' }], options), {
    code: 'OVERWRITE_REFUSED',
    message: 'cannot overwrite non-directory "file" with directory "/target"',
  });
  extract([{ name: 'file', content: 'new' }], options);
  extract([{ name: 'dir', type: 'directory' }], options);
  assert.equal(inside('file'), 'new');
});

test('the folder itself may be named, but only as a folder', () => {
  extract([{ name: './', type: 'directory', mode: 0o700 }, { name: 'x' }]);
  assert.ok(existsSync(at('x')));
  assert.throws(() => extract([{ name: '.' }]), { code: 'OVERWRITE_REFUSED' });
});

test('folders that the archive does not name are made, readable for all; a file on the way is no folder', () => {
  extract([{ name: 'a/b/c/file', content: 'x' }]);
  assert.equal(statSync(at('a/b')).mode & 0o777, 0o755 & ~process.umask());
  assert.throws(() => extract([{ name: 'a/b/c/file/below' }]), { code: 'ENOTDIR' });
});

test('a link into nothing on the way is followed, and what it leads to is made', () => {
  extract([
    { name: 'link', type: 'symlink', linkName: 'made/here' },
    { name: 'link/file', content: 'x' },
  ]);
  assert.equal(inside('made/here/file'), 'x');
});

test('an archive that comes byte by byte is the same archive', () => {
  const content = 'x'.repeat(1500);
  extract(
    [
      { name: 'a', content },
      { name: 'b/c', content: 'short' },
    ],
    {},
    1,
  );
  assert.deepEqual([inside('a'), inside('b/c')], [content, 'short']);
});

test('an archive that ends early fails, and keeps no file open', () => {
  const fd = openSync(root, 'r');
  const before = readdirSync('/proc/self/fd').length;
  {
    using extractor = new TarExtractor(new MountedRoot(fd, [], false), {
      ...{ target: '/', noOverwriteDirNonDir: false, owner: 'process' },
    });
    extractor.write(packed({ name: 'dir/half', content: 'x'.repeat(2000) }).subarray(0, 1000));
    assert.throws(() => extractor.end(), { code: 'TRUNCATED_TAR' });
  }
  assert.equal(readdirSync('/proc/self/fd').length, before);
  libc.close(fd);
});

test('docker cp renames what it copies, and only whole names', () => {
  const rename = { from: b('src'), to: b('dst') };
  extract(
    [
      { name: 'src', type: 'directory', mode: 0o755 },
      { name: 'src/file', content: 'x' },
      { name: 'src2', content: 'y' },
      { name: 'src/again', type: 'hardlink', linkName: 'src/file' },
    ],
    { rename },
  );
  assert.deepEqual(readdirSync(root).sort(), ['dst', 'src2']);
  assert.equal(statSync(at('dst/again')).nlink, 2);
});

test('a name that is no UTF-8 keeps its bytes', () => {
  const fd = openSync(root, 'r');
  using extractor = new TarExtractor(new MountedRoot(fd, [], false), {
    ...{ target: '/', noOverwriteDirNonDir: false, owner: 'process' },
  });
  extractor.write(Buffer.concat([tarHeader({ name: 'caf\xe9' as ByteString, type: 'file' }), TAR_END]));
  extractor.end();
  libc.close(fd);
  assert.deepEqual(readdirSync(root, { encoding: 'buffer' }), [Buffer.from('caf\xe9', 'latin1')]);
});

test('a path of very many folders is refused at once and in words', () => {
  for (const depth of [2049, 500_000]) {
    assert.throws(() => extract([{ name: 'a/'.repeat(depth) }]), {
      code: 'ENAMETOOLONG',
      message: /: file name too long$/,
    });
  }
  extract([{ name: `${'a/../'.repeat(5000)}x`, content: 'dots are no depth' }]);
  assert.deepEqual(readdirSync(root), ['x']);
});

test('an archive of deep folders that are not there costs no minutes', () => {
  const before = process.cpuUsage();
  extract([{ name: `${'a/'.repeat(1000)}x` }]);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 3_000_000, `${(user + system) / 1000} ms of processor time`);
});

test('below a read-only volume nothing is made, not even the folders that an archive goes through', () => {
  mkdirSync(at('data'));
  const [fd, volume] = [openSync(root, 'r'), openSync(join(base, 'outside'), 'r')];
  const mounted = new MountedRoot(fd, [{ path: b('/data'), fd: volume, readOnly: true }], false);
  for (const name of ['data/x', 'data/new/x', 'data/new/deep/x']) {
    using extractor = new TarExtractor(mounted, { target: '/', noOverwriteDirNonDir: false, owner: 'process' });
    assert.throws(() => extractor.write(packed({ name })), { code: 'EROFS' }, name);
  }
  libc.close(fd);
  libc.close(volume);
  assert.deepEqual(outside(), []);
});
