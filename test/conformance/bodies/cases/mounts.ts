// Owns the create bodies that ask for mounts. Sources are folders and files that every host has.

import { type BodyCase, host, sees, type Try } from '../types.ts';

const mount = (one: Record<string, unknown>, more: Omit<Try, 'body'> = {}): Try => host({ Mounts: [one] }, more);
const bind = (more: Record<string, unknown>, rest: Omit<Try, 'body'> = {}): Try =>
  mount({ Type: 'bind', Source: '/etc', Target: '/x', ...more }, rest);
const volume = (more: Record<string, unknown>, rest: Omit<Try, 'body'> = {}): Try =>
  mount({ Type: 'volume', Source: '$N', Target: '/x', ...more }, rest);
const tmpfs = (more: Record<string, unknown>, rest: Omit<Try, 'body'> = {}): Try =>
  mount({ Type: 'tmpfs', Target: '/x', ...more }, rest);
const SHOWN = 'grep " /x " /proc/mounts | cut -d" " -f1,3,4';

export const MOUNTS: readonly BodyCase[] = [
  {
    name: 'a mount without sense is refused at create',
    tries: [
      mount({}),
      ...['', 'nope', 'npipe', 'cluster', 'constructor'].map((Type) => mount({ Type, Target: '/x', Source: '/y' })),
      mount({ Type: 'bind' }),
      ...[{ Source: '' }, { Source: 'etc' }, { Source: '/proc/no/such' }, { Target: 'x' }, { Target: '/' }].map(
        (more) => bind(more),
      ),
      mount({ Type: 'image', Target: '/x' }),
      mount({ Type: 'image', Source: 'nosuch', Target: '/x', ImageOptions: { Subpath: '../x' } }),
      bind({ ClusterOptions: {} }),
      bind({ ClusterOptions: 5 }),
      tmpfs({ Source: 'y' }),
      ...['a', 'a/b', '/a'].map((Source) => volume({ Source })),
      volume({ Source: '', ReadOnly: true }),
    ],
  },
  {
    name: 'options of another type of mount are refused, also empty ones',
    tries: [
      ...['VolumeOptions', 'TmpfsOptions', 'ImageOptions'].map((field) => bind({ [field]: {} })),
      ...['BindOptions', 'TmpfsOptions', 'ImageOptions'].map((field) => volume({ [field]: {} })),
      ...['BindOptions', 'VolumeOptions', 'ImageOptions'].map((field) => tmpfs({ [field]: {} })),
    ],
  },
  {
    name: 'a propagation that the source does not allow is refused',
    tries: ['bogus', 'private', 'rprivate'].map((Propagation) =>
      bind({ Source: '/proc', BindOptions: { Propagation } }, { start: true }),
    ),
  },
  {
    name: 'read-only options that contradict each other are refused',
    tries: [
      bind({ BindOptions: { ReadOnlyForceRecursive: true } }, { start: true }),
      bind({ BindOptions: { ReadOnlyNonRecursive: true } }, { start: true }),
      bind(
        { ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true } },
        { start: true },
      ),
      bind({ ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } }, { start: true }),
      bind({ ReadOnly: true, Consistency: 'cached' }, { start: true, shows: ['Mounts'] }),
    ],
  },
  {
    name: 'a bind mount brings what is mounted below it, unless asked not to',
    tries: [true, false].map((NonRecursive) =>
      sees('test -n "$(ls /x/fs/cgroup)" && echo below', {
        Mounts: [{ Type: 'bind', Source: '/sys', Target: '/x', BindOptions: { NonRecursive } }],
      }),
    ),
  },
  {
    name: 'a part of a volume is within it, or the container does not start',
    tries: [
      volume({ Source: '', VolumeOptions: { Subpath: 's' } }),
      ...['/s', '../s', 'a/../../s', '..'].map((Subpath) => volume({ VolumeOptions: { Subpath } })),
      volume({ VolumeOptions: { Subpath: 'missing' } }, { start: true }),
      volume({ VolumeOptions: { Subpath: '.' } }, { start: true, shows: ['Mounts'] }),
    ],
  },
  {
    name: 'volumes that their driver cannot make are refused',
    tries: [
      volume({ VolumeOptions: { DriverConfig: { Name: 'nope' } } }),
      volume({ VolumeOptions: { DriverConfig: { Options: { a: 'b' } } } }),
      volume({ VolumeOptions: { DriverConfig: { Name: 'local', Options: { a: 'b' } } } }),
      host({ VolumeDriver: 'nope', Binds: ['$N:/x'] }),
      volume({ ReadOnly: true, VolumeOptions: { NoCopy: true } }, { shows: ['Mounts'] }),
    ],
  },
  {
    name: 'memory file systems are made as asked',
    tries: [
      ...[[['bogus']], [['uid', '5']], [['a', 'b', 'c']], [[]]].map((Options) => tmpfs({ TmpfsOptions: { Options } })),
      ...[{ SizeBytes: 1_048_576, Mode: 0o700 }, { Options: [['exec']] }, { Options: [['noexec']] }].map(
        (TmpfsOptions) => sees(SHOWN, { Mounts: [{ Type: 'tmpfs', Target: '/x', TmpfsOptions }] }),
      ),
      sees(SHOWN, { Mounts: [{ Type: 'tmpfs', Target: '/x', ReadOnly: true }] }),
      ...['x', '/', ''].map((path) => host({ Tmpfs: { [path]: '' } })),
      ...['bogus=1', 'size', 'rw,', 'huge=always', 'acl'].map((options) =>
        host({ Tmpfs: { '/x': options } }, { start: true }),
      ),
      ...['size=1m,exec,uid=5', 'shared', 'noatime,mode=1777'].map((options) =>
        sees(SHOWN, { Tmpfs: { '/x': options } }),
      ),
    ],
  },
  {
    name: 'two mounts at one place are refused',
    tries: [
      host({ Tmpfs: { '/x': '' }, Binds: ['/etc:/x'] }),
      host({ Tmpfs: { '/x': '' }, Mounts: [{ Type: 'tmpfs', Target: '/x' }] }),
      host({ Tmpfs: { '/x': '' } }, { body: { Volumes: { '/x': {} } } }),
      host({
        Mounts: [
          { Type: 'tmpfs', Target: '/x' },
          { Type: 'bind', Source: '/etc', Target: '/x/' },
        ],
      }),
      host({ Binds: ['/etc:/x'], Mounts: [{ Type: 'bind', Source: '/etc', Target: '/x' }] }),
    ],
  },
  {
    name: 'the short form of mounts is read as Docker reads it',
    tries: [
      ...['', '/a:', ':/a', '/etc:x', '/etc:/', '/etc:ro', '/x:rw', '$N:rw', '/etc:/x:ro:z', 'a b:/x'],
      ...['bogus', 'ro,rw', 'ro,ro', 'z,Z', 'shared,slave', 'nocopy', 'copy', ''].map((mode) => `/etc:/x:${mode}`),
      ...['nocopy,copy', 'shared', 'rprivate', 'copy', 'ro,z', 'nocopy'].map((mode) => `$N:/x:${mode}`),
    ].map((text) => host({ Binds: [text] })),
  },
  {
    name: 'mounts of other containers are taken as asked',
    peer: true,
    tries: [
      ...['', 'nope', '$N-peer:bogus', '$N-peer:rshared', '$N-peer:nocopy', '$N-peer:ro:x'],
      ...['$N-peer', '$N-peer:ro', '$N-peer:z', '$N-peer:ro,z'],
    ].map((text) => host({ VolumesFrom: [text] })),
  },
];
