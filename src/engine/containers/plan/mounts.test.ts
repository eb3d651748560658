import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostConfig, Mount } from '../../../spec/docker/types.gen.ts';
import type { MountRecord } from '../types.ts';
import { parseVolumesFrom } from './bind-text.ts';
import { checkMountBody } from './mount-body.ts';
import { parseBind, planMounts } from './mounts.ts';

const messageOf = (act: () => unknown): string => {
  try {
    act();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};
const mount = (given: Mount): Mount => ({ Target: '/t', ...given });

test('-v is read as Docker reads it: what is mounted where, and how', () => {
  for (const [text, wanted] of [
    ['/a:/b', { type: 'bind', source: '/a', destination: '/b', writable: true, propagation: 'rprivate', mode: '' }],
    ['/a/../c//:/b/', { type: 'bind', source: '/c', destination: '/b' }],
    ['/a:/b:ro,z', { writable: false, mode: 'ro,z' }],
    ['/a:/b:rslave,ro', { writable: false, propagation: 'rslave', mode: 'ro' }],
    ['/a:/b:cached', { mode: 'cached', createSource: true }],
    ['name:/b', { type: 'volume', name: 'name', source: '', mode: 'z', driver: 'local', copyUp: true }],
    ['name:/b:nocopy', { copyUp: false, mode: 'nocopy' }],
    ['name:/b:ro', { writable: false, mode: 'ro' }],
    ['/only', { type: 'volume', name: undefined, destination: '/only', mode: '' }],
  ] as const) {
    assert.partialDeepStrictEqual(parseBind(text), wanted, text);
  }
});

test('a malformed -v is refused, not guessed at', () => {
  assert.throws(() => parseBind('/a:ro'), { message: "invalid volume specification: '/a:ro'" });
  for (const text of ['', ':', ':/b', '/a:ro', '/a:/b:/c:ro', 'a:b', '/a:/', '/a:/..', '/a:/b\0c', '/a\0:/b'])
    assert.throws(() => parseBind(text), { code: 'VOLUME_SPEC' }, JSON.stringify(text));
  for (const text of ['/a:/b:rw,ro', '/a:/b:z,Z', '/a:/b:shared,slave', '/a:/b:RO', '/a:/b:ro,', 'n:/b:nocopy,nocopy'])
    assert.throws(() => parseBind(text), { code: 'MOUNT_MODE' }, text);
});

test('--volumes-from takes a mode that can only take rights away', () => {
  assert.deepEqual(parseVolumesFrom('web'), { ref: 'web', writable: true });
  assert.deepEqual(parseVolumesFrom('web:ro'), { ref: 'web', writable: false });
  assert.deepEqual(parseVolumesFrom('web:z,rw'), { ref: 'web', writable: true });
  assert.throws(() => parseVolumesFrom(''), { message: 'volumes-from specification cannot be an empty string' });
  for (const mode of ['nocopy', 'rshared', 'x', 'ro:rw'])
    assert.throws(() => parseVolumesFrom(`web:${mode}`), { message: `invalid mode: ${mode}` });
});

test('--mount is read field by field', () => {
  const planned = (given: Mount) => planMounts({}, { Mounts: [mount(given)] }, [])[0];
  for (const [given, wanted] of [
    [
      { Type: 'bind', Source: '/a' },
      { type: 'bind', source: '/a', writable: true, createSource: false },
    ],
    [
      { Type: 'bind', Source: '/a', ReadOnly: true, BindOptions: { NonRecursive: true, CreateMountpoint: true } },
      { writable: false, createSource: true, options: ['bind-nonrecursive'] },
    ],
    [
      { Type: 'bind', Source: '/a', ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } },
      { options: ['readonly-force-recursive'] },
    ],
    [
      { Type: 'volume', Source: 'v' },
      { type: 'volume', name: 'v', mode: 'z' },
    ],
    [{ Type: 'volume' }, { type: 'volume', name: undefined, mode: '' }],
    [
      { Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'a/b', NoCopy: true, Labels: { l: '1' } } },
      { subpath: 'a/b', copyUp: false, labels: { l: '1' } },
    ],
    [
      { Type: 'volume', Source: 'v', VolumeOptions: { DriverConfig: { Name: 'local', Options: { type: 'nfs' } } } },
      { driver: 'local', driverOptions: { type: 'nfs' } },
    ],
    [
      { Type: 'tmpfs', ReadOnly: true },
      { type: 'tmpfs', source: '', writable: false },
    ],
  ] as const satisfies readonly (readonly [Mount, object])[]) {
    assert.partialDeepStrictEqual(planned(given), wanted, JSON.stringify(given));
  }
});

test('a --mount that makes no sense is refused in Docker’s words', () => {
  const config = (type: string, why: string) => `invalid mount config for type "${type}": ${why}`;
  const outside = 'subpath must be a relative path within the volume';
  for (const [given, message] of [
    [{ Type: 'bind', Source: '/a', Target: '' }, config('bind', 'field Target must not be empty')],
    [
      { Type: 'bind', Source: '/a', Target: 'x' },
      config('bind', "invalid mount path: 'x' mount path must be absolute"),
    ],
    [
      { Type: 'bind', Source: '/a', Target: '/x/..' },
      config('bind', "invalid specification: destination can't be '/'"),
    ],
    [{ Type: 'bind' }, config('bind', 'field Source must not be empty')],
    [{ Type: 'bind', Source: 'a' }, config('bind', "invalid mount path: 'a' mount path must be absolute")],
    [
      { Type: 'bind', Source: '/a', BindOptions: { Propagation: 'odd' } },
      config('bind', 'invalid propagation mode: odd'),
    ],
    [{ Type: 'npipe' }, config('npipe', 'mount type unknown')],
    [{ Type: 'tmpfs', Source: '/a' }, config('tmpfs', 'field Source must not be specified')],
    [{ Type: 'tmpfs', TmpfsOptions: { Options: [['suid']] } }, config('tmpfs', 'invalid option: suid')],
    [{ Type: 'tmpfs', TmpfsOptions: { Options: [[]] } }, config('tmpfs', 'invalid option array length')],
    [
      { Type: 'volume', VolumeOptions: { Subpath: 'a' } },
      config('volume', 'must not set Subpath when using anonymous volumes'),
    ],
    [{ Type: 'volume', ReadOnly: true }, config('volume', 'must not set ReadOnly mode when using anonymous volumes')],
    [{ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: '../x' } }, config('volume', outside)],
    [{ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'a/../../x' } }, config('volume', outside)],
    [{ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: '/x' } }, config('volume', outside)],
    [{ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'a\0b' } }, config('volume', outside)],
    [{ Type: 'volume', BindOptions: {} }, 'BindOptions must not be specified on mount type "volume"'],
    [{ Type: 'bind', Source: '/a', TmpfsOptions: {} }, 'TmpfsOptions must not be specified on mount type "bind"'],
    [
      { Type: 'bind', Source: '/a', BindOptions: { ReadOnlyNonRecursive: true } },
      'mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive',
    ],
    [
      {
        Type: 'bind',
        Source: '/a',
        ReadOnly: true,
        BindOptions: { ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true },
      },
      'mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive',
    ],
  ] as const satisfies readonly (readonly [object, string])[]) {
    assert.equal(
      messageOf(() => checkMountBody(mount(given as Mount))),
      message,
    );
  }
  checkMountBody(mount({ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'a/../b' } }));
});

test('--tmpfs takes the file system’s own words, and none that would mount something else', () => {
  const plan = (options: string, path = '/t') => planMounts({}, { Tmpfs: { [path]: options } }, [])[0];
  assert.deepEqual(plan('size=64m,mode=1777,noexec')?.options, ['size=64m', 'mode=1777', 'noexec']);
  assert.deepEqual(plan('')?.options, []);
  for (const options of ['bind', 'remount', 'size', 'ro=1', 'upperdir=/x', ''.padEnd(2, ',')])
    assert.throws(() => plan(options), { code: 'TMPFS_OPTION' }, options);
  for (const path of ['/', 'rel', '/x/..']) assert.throws(() => plan('', path), { code: 'MOUNT_PATH' }, path);
});

test('of several mounts at one place the user’s counts, then the inherited, then the image’s', () => {
  const from = (destination: string): MountRecord => ({
    type: 'volume',
    name: `of-other${destination.replaceAll('/', '-')}`,
    source: '/x',
    destination,
    mode: '',
    writable: true,
    propagation: '',
  });
  const image = { Volumes: { '/a': {}, '/b': {}, '/c': {}, data: {} } };
  const plan = (given: HostConfig) => planMounts(image, given, [from('/a'), from('/b')]);
  const names = plan({ Binds: ['mine:/a'] }).map(({ name, destination }) => `${destination} ${name ?? 'new'}`);
  assert.deepEqual(names, ['/a mine', '/b of-other-b', '/c new', '/data new']);
  assert.deepEqual(plan({ Tmpfs: { '/a': '' } })[0]?.type, 'tmpfs');
  for (const twice of [
    { Binds: ['x:/a', 'y:/a/'] },
    { Binds: ['x:/a'], Mounts: [{ Type: 'volume' as const, Target: '/a' }] },
    { Binds: ['x:/a'], Tmpfs: { '/a': '' } },
  ])
    assert.throws(() => plan(twice), { message: /^Duplicate mount point: \/a/ }, JSON.stringify(twice));
});

test('an image whose volume lies at the root, or leads out of it, is refused', () => {
  for (const path of ['/', '.', '..', '\0'])
    assert.throws(() => planMounts({ Volumes: { [path]: {} } }, {}, []), { code: 'VOLUME_SPEC' }, JSON.stringify(path));
});
