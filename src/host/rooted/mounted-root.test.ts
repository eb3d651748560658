import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bytesOfText, textOf } from '../../lib/bytes.ts';
import { MountedRoot } from './mounted-root.ts';

let dir = '';
const open: number[] = [];
let root: MountedRoot;
const openFd = (path: string): number => {
  const fd = openSync(join(dir, path), 'r');
  open.push(fd);
  return fd;
};

before(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-mounted-'));
  for (const path of ['root/etc', 'root/data/hidden', 'root/srv', 'volume/inner', 'nested'])
    mkdirSync(join(dir, path), { recursive: true });
  writeFileSync(join(dir, 'root/etc/passwd'), 'inside');
  writeFileSync(join(dir, 'volume/file'), 'volume');
  writeFileSync(join(dir, 'nested/deep'), 'nested');
  writeFileSync(join(dir, 'single'), 'single');
  writeFileSync(join(dir, 'secret'), 'outside');
  const links: Record<string, string> = {
    absolute: '/etc/passwd',
    climbing: '../../../../etc/passwd',
    'to-volume': 'data/file',
    'etc/up': '..',
    'data-by-link': '/data',
    loop: 'loop',
    outside: join(dir, 'secret'),
    'volume-path': '/srv/link',
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(dir, 'root', name));
  symlinkSync('../etc/passwd', join(dir, 'volume/back'));
  symlinkSync('/srv', join(dir, 'root/srv-link'));
  root = new MountedRoot(
    openFd('root'),
    [
      { path: bytesOfText('/data'), fd: openFd('volume'), readOnly: true },
      { path: bytesOfText('/data/inner'), fd: openFd('nested'), readOnly: false },
      { path: bytesOfText('/srv-link/mounted'), fd: openFd('nested'), readOnly: false },
      { path: bytesOfText('/etc/hosts'), fd: openFd('single'), readOnly: false },
      { path: bytesOfText('/not/made'), fd: openFd('nested'), readOnly: false },
    ],
    false,
  );
});
after(() => {
  for (const fd of open) closeSync(fd);
  rmSync(dir, { recursive: true });
});

test('links, dots and climbs end inside, and mounted trees hide what lies under them', () => {
  const cases: readonly (readonly [path: string, leadsTo: string, size: number])[] = [
    ['/etc/passwd', '/etc/passwd', 6],
    ['absolute', '/etc/passwd', 6],
    ['/climbing', '/etc/passwd', 6],
    ['/../../etc/passwd', '/etc/passwd', 6],
    ['/data/file', '/data/file', 6],
    ['/to-volume', '/data/file', 6],
    ['/data-by-link/file', '/data/file', 6],
    ['/data/back', '/etc/passwd', 6],
    ['/data/../etc/passwd', '/etc/passwd', 6],
    ['/data/inner/deep', '/data/inner/deep', 6],
    ['/data/inner/../file', '/data/file', 6],
    ['/srv/mounted/deep', '/srv/mounted/deep', 6],
    ['/srv-link/mounted/deep', '/srv/mounted/deep', 6],
    ['/etc/hosts', '/etc/hosts', 6],
    ['/etc/up/etc/./hosts', '/etc/hosts', 6],
  ];
  for (const [path, leadsTo, size] of cases) {
    using place = root.open(bytesOfText(path));
    assert.equal(textOf(place.path), leadsTo, path);
    assert.equal(place.stat.sizeBytes, size, path);
  }
});

test('what is not there, loops, or goes on behind a file is an error', () => {
  for (const [path, code] of [
    ['/nothing', 'ENOENT'],
    ['/data/hidden', 'ENOENT'],
    ['/loop', 'ELOOP'],
    ['/outside', 'ENOENT'],
    ['/etc/passwd/x', 'ENOTDIR'],
    ['/etc/passwd/', 'ENOTDIR'],
    ['/etc/passwd/..', 'ENOTDIR'],
  ] as const) {
    assert.throws(() => root.open(bytesOfText(path)), { code }, path);
  }
  assert.equal(root.tryOpen(bytesOfText('/nothing')), undefined);
});

test('a link at the end is opened itself when it is not to be followed, but for a path that ends in a slash', () => {
  using link = root.open(bytesOfText('/absolute'), { follow: false });
  assert.deepEqual([link.stat.type, textOf(link.path)], ['symlink', '/absolute']);
  using folder = root.open(bytesOfText('/data-by-link/'), { follow: false });
  assert.deepEqual([folder.stat.type, textOf(folder.path)], ['directory', '/data']);
  using volume = root.open(bytesOfText('/data-by-link/.'), { follow: false });
  assert.equal(textOf(volume.path), '/data');
});

test('what lies on a read-only tree is read-only, and a tree on it may not be', () => {
  for (const [path, readOnly] of [
    ['/', false],
    ['/data', true],
    ['/data/file', true],
    ['/data/inner/deep', false],
    ['/data/..', false],
  ] as const) {
    using place = root.open(bytesOfText(path));
    assert.equal(place.readOnly, readOnly, path);
  }
});

test('children are those that the container sees, also of a mount point that was never made', () => {
  using etc = root.open(bytesOfText('/etc'));
  using hosts = root.child(etc, bytesOfText('hosts'));
  assert.equal(hosts.stat.type, 'file');
  assert.deepEqual(root.mountedIn(bytesOfText('/etc')).map(textOf), ['hosts']);
  assert.deepEqual(root.mountedIn(bytesOfText('/not')).map(textOf), ['made']);
  using made = root.tryOpen(bytesOfText('/not/made'));
  assert.equal(made, undefined, 'its parent does not exist');
});

test('no descriptor stays open, whatever happens', () => {
  const before = readdirSync('/proc/self/fd').length;
  for (let n = 0; n < 50; n++) {
    for (const path of ['/etc/up/etc/hosts', '/loop', '/nothing/x', '/etc/passwd/', '/data/back']) {
      try {
        root.open(bytesOfText(path))[Symbol.dispose]();
      } catch {}
    }
  }
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
