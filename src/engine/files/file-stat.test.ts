import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MountedRoot, Place } from '../../host/rooted/index.ts';
import { type ByteString, bytesOfText as b } from '../../lib/bytes.ts';
import { cleanPath, entryName, fileStat } from './file-stat.ts';

test('docker cp names what it copies as dockerd does, also for paths that end in a slash or a dot', () => {
  for (const [path, cleaned, name] of [
    ['/etc/passwd', '/etc/passwd', 'passwd'],
    ['etc/passwd', '/etc/passwd', 'passwd'],
    ['/etc/', '/etc/', 'etc'],
    ['/etc//', '/etc/', 'etc'],
    ['/etc/.', '/etc/.', '.'],
    ['.', '/.', '.'],
    ['/', '/', '/'],
    ['//', '/', '/'],
    ['/a/b/..', '/a', 'a'],
    ['/a/b/../', '/a/', 'a'],
    ['/a/...', '/a/...', '...'],
    ['/a/x.', '/a/x.', 'x.'],
  ] as const) {
    assert.equal(cleanPath(path), cleaned, `the path ${path}`);
    assert.equal(entryName(b(cleanPath(path))), name, `the name of ${path}`);
  }
});

test('no spelling of a path climbs over the container’s root', () => {
  for (const path of ['..', '/..', '../../etc', '/a/../../../etc', './../etc', '/../.', '....//../../x']) {
    assert.ok(!cleanPath(path).split('/').includes('..'), path);
    assert.ok(cleanPath(path).startsWith('/'), path);
  }
});

function place(stat: Partial<Place['stat']>): Place {
  const whole = { type: 'file', mode: 0o644, sizeBytes: 5, mtimeSeconds: 0, mtimeNanoseconds: 0, ...stat };
  return { stat: whole, path: '/x' } as unknown as Place;
}
const root = { realPath: () => b('/etc/läuft') } as unknown as MountedRoot;

test('clients see Go’s mode bits: type, setuid, setgid and sticky are not where Unix has them', () => {
  for (const [type, mode, wanted] of [
    ['file', 0o644, 0o644],
    ['directory', 0o755, 0x80000000 + 0o755],
    ['symlink', 0o777, 0x08000000 + 0o777],
    ['block', 0o660, 0x04000000 + 0o660],
    ['character', 0o620, 0x04200000 + 0o620],
    ['fifo', 0o600, 0x02000000 + 0o600],
    ['socket', 0o755, 0x01000000 + 0o755],
    ['file', 0o4755, 0x00800000 + 0o755],
    ['file', 0o2755, 0x00400000 + 0o755],
    ['directory', 0o1777, 0x80100000 + 0o777],
    ['file', 0o7777, 0x00d00000 + 0o777],
  ] as const) {
    assert.equal(fileStat(root, place({ type, mode }), b('/x')).mode, wanted, `${type} ${mode.toString(8)}`);
  }
});

test('a link says where it leads in the container, and nothing else does', () => {
  assert.equal(fileStat(root, place({ type: 'symlink' }), b('/x')).linkTarget, '/etc/läuft');
  assert.equal(fileStat(root, place({}), b('/x')).linkTarget, '');
});

test('times keep their nanoseconds, also before 1970', () => {
  const at = (mtimeSeconds: number) =>
    fileStat(root, place({ mtimeSeconds, mtimeNanoseconds: 123_456_789 }), b('/x')).mtimeNano;
  assert.equal(at(1_700_000_000), 1_700_000_000_123_456_789n);
  assert.equal(at(-2), -1_876_543_211n);
});

test('a name that is no UTF-8 is still shown', () => {
  assert.equal(fileStat(root, place({}), '/d/\xff\xc3\xa4' as ByteString).name, '\ufffdä');
});
