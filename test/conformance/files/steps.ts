// Owns the requests about files in containers that are played on us and, recorded, on dockerd: what is sent, in which order. Runs nothing.

import { bytesOfText } from '../../../src/lib/bytes.ts';
import { TAR_END, type TarEntryInput, tarHeader, tarPadding } from '../../../src/lib/tar/index.ts';

/** A container that the steps after it work on, all named `NAME`; what it has run, and whether it runs on. */
export interface Scene {
  readonly body: Readonly<Record<string, unknown>>;
  /** Shell script that has run before the steps; undefined: never started. */
  readonly script?: string;
  readonly stopped?: boolean;
  readonly steps: readonly Step[];
}

/** `HEAD path`, `GET path`, or `PUT archive query`. */
export type Step = readonly ['HEAD' | 'GET', string] | readonly ['PUT', string, string];

const file = (name: string, content: string, more: Partial<TarEntryInput> = {}): Buffer => {
  const bytes = Buffer.from(content);
  const input = { name: bytesOfText(name), type: 'file' as const, size: bytes.length, mode: 0o644, ...more };
  return Buffer.concat([tarHeader(input), bytes, tarPadding(bytes.length)]);
};
const other = (name: string, type: TarEntryInput['type'], linkName = '', mode = 0o644): Buffer =>
  tarHeader({ name: bytesOfText(name), type, linkName: bytesOfText(linkName), mode });
const tar = (...members: readonly Buffer[]): Buffer => Buffer.concat([...members, TAR_END]);

const ONE = tar(file('a', 'A\n', { uid: 33, gid: 44, mode: 0o4711, mtime: { seconds: 1e9, nanoseconds: 0 } }));

/** What PUT sends, by name. */
export const ARCHIVES: Readonly<Record<string, Buffer>> = {
  one: ONE,
  folder: tar(other('f', 'directory', '', 0o755), file('f/g', 'g\n')),
  cut: ONE.subarray(0, 513),
  junk: Buffer.alloc(2000, 'junk that is no archive '),
  empty: Buffer.alloc(0),
  climbing: tar(file('../x', 'data')),
  absolute: tar(file('/abs/x', 'data')),
  'through a link of its own': tar(other('l', 'symlink', '/etc'), file('l/zz', 'data')),
  'climbing inside': tar(file('a/../../b', 'data')),
  'hard link': tar(file('h1', 'data'), other('h2', 'hardlink', 'h1')),
  'hard link to nothing': tar(other('h3', 'hardlink', 'nothere')),
  'hard link out': tar(other('h4', 'hardlink', '../../etc/passwd')),
  fifo: tar(other('ff', 'fifo')),
  'over a link': tar(file('link', 'data')),
  'through a link': tar(file('dirlink/new', 'data')),
  'folder over a link': tar(other('dirlink', 'directory', '', 0o755)),
  'below a file': tar(file('f/deep/er', 'data')),
  'link out': tar(other('s1', 'symlink', '../../../../etc/shadow')),
};

const WORLD =
  'mkdir -p /d/e; echo hi >/d/f; ln -s f /d/link; ln -s /d/e /d/dirlink; ln -s nowhere /d/dangling; ln -s loop /d/loop; ' +
  'ln /d/f /d/hard; mkfifo /d/fifo; chmod 4755 /d/f; chmod 1777 /d/e; echo v >/vol/file; touch /ready; exec sleep 1000';

const LOOKS = [
  ...['/', '.', '/d', '/d/', '/d/.', 'd', 'd/e/..', '/d/f', '/d/f/', '/d/f/x', '/d/link', '/d/link/', '/d/dirlink'],
  ...['/d/dirlink/', '/d/dirlink/.', '/d/dangling', '/d/loop', '/d/fifo', '/nope', '/d/../../..', '/vol', '/vol/file'],
  ...['/dev', '/dev/null', '/d/dirlink/../e', ''],
];
const READS = [
  ...['/d', '/d/', '/d/.', '/d/f', '/d/f/', '/d/link', '/d/link/', '/d/dirlink', '/d/dirlink/', '/d/dirlink/.'],
  ...['/d/dangling', '/d/loop', '/vol', '/vol/.', '/nope', '/d/e/..', ''],
];
const READ = ['/d', '/d/e', '/abs', '/etc/zz', '/vol'].map((path): Step => ['GET', path]);

export const SCENES: Readonly<Record<string, Scene>> = {
  'looking at and reading a running container': {
    body: { HostConfig: { Binds: ['NAME:/vol'] } },
    script: WORLD.replace('; touch', '; rm -rf /d/e/*; touch'),
    steps: [...LOOKS.map((path): Step => ['HEAD', path]), ...READS.map((path): Step => ['GET', path])],
  },
  'looking at and reading a stopped container': {
    body: { HostConfig: { Binds: ['NAME:/vol'] } },
    script: WORLD,
    stopped: true,
    steps: [...LOOKS.map((path): Step => ['HEAD', path]), ...READS.map((path): Step => ['GET', path])],
  },
  'writing to a running container': {
    body: { HostConfig: { Binds: ['NAME:/vol'] } },
    script: WORLD,
    steps: [
      ...['one', 'empty', 'cut', 'junk'].map((name): Step => ['PUT', name, 'path=/d/e']),
      ...['/nope', '/d/f', '/d/dirlink', '/d/dangling', '', '/d/e/.', 'd/e'].map(
        (path): Step => ['PUT', 'one', `path=${path}`],
      ),
      ['PUT', 'folder', 'path=/d&noOverwriteDirNonDir=1'],
      ['PUT', 'folder', 'path=/d'],
      ['PUT', 'folder', 'path=/d&noOverwriteDirNonDir=true'],
      ...Object.keys(ARCHIVES)
        .slice(5)
        .flatMap((name): Step[] => ['/d/e', '/d'].map((path) => ['PUT', name, `path=${path}`])),
      ...READ,
      ['PUT', 'one', 'path=/vol'],
      ['GET', '/vol'],
    ],
  },
  'writing to a stopped container': {
    body: { HostConfig: { Binds: ['NAME:/vol'] } },
    script: WORLD,
    stopped: true,
    steps: [
      ['PUT', 'one', 'path=/nope'],
      ['PUT', 'one', 'path=/d/e&copyUIDGID=1'],
      ['PUT', 'through a link', 'path=/d'],
      ['PUT', 'one', 'path=/vol'],
      ...READ,
    ],
  },
  'writing where nothing may be written': {
    body: {
      User: '1000:1001',
      HostConfig: { ReadonlyRootfs: true, Binds: ['NAME:/vol:ro', 'NAME-2:/rw'], Tmpfs: { '/t': '' } },
    },
    script: 'exec sleep 1000',
    steps: [
      ['PUT', 'one', 'path=/tmp'],
      ['PUT', 'one', 'path=/vol'],
      ['PUT', 'one', 'path=/rw'],
      ['GET', '/rw'],
      ['PUT', 'one', 'path=/rw&copyUIDGID=1'],
      ['GET', '/rw'],
    ],
  },
  'a container that was never started': {
    body: { WorkingDir: '/work/dir', HostConfig: { Binds: ['NAME:/a/b/c', 'NAME-2:/home'] } },
    steps: [
      ['GET', '/a'],
      ['GET', '/work'],
      ['PUT', 'one', 'path=/work/dir'],
      ['PUT', 'one', 'path=/a/b/c'],
      ['GET', '/a'],
      ['GET', '/work'],
      ['GET', '/home'],
      ['GET', '/etc/hosts'],
    ],
  },
};
