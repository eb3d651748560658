// Owns: OCI bundles over the host's own programs, for tests with real runtimes. Refuses: being the engine's bundle assembly.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fields } from './link.ts';

export type Runtime = { name: string; path: string; steps: Fields };

// crun refuses a hybrid cgroup hierarchy: it works where the unified mount is out of sight.
const hideUnified: Fields = [
  ['step', 'unshare\x1fmount'],
  ['step', 'umount\x1f/sys/fs/cgroup/unified'],
];

/** The runtimes of this machine; none where tests may not make namespaces. */
export const runtimes = (): Runtime[] =>
  process.getuid?.() === 0
    ? [
        { name: 'runc', path: '/usr/sbin/runc', steps: [] },
        { name: 'crun', path: '/usr/bin/crun', steps: hideUnified },
      ].filter((runtime) => existsSync(runtime.path))
    : [];

/** The process part of a bundle, also what `exec` wants. */
export const processOf = (script: string, terminal: boolean): object => ({
  terminal,
  ...(terminal ? { consoleSize: { height: 33, width: 99 } } : {}),
  user: { uid: 0, gid: 0 },
  args: ['/bin/sh', '-c', script],
  env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
  cwd: '/',
});

/** Writes a bundle into `folder` that runs `script` by sh. */
export const writeBundle = (folder: string, script: string, terminal = false): void => {
  const mounts = ['usr', 'bin', 'lib', 'lib64']
    .filter((name) => existsSync(`/${name}`))
    .map((name) => ({ destination: `/${name}`, type: 'bind', source: `/${name}`, options: ['rbind', 'ro'] }));
  for (const name of ['proc', 'dev', 'sys']) mkdirSync(join(folder, 'rootfs', name), { recursive: true });
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      ociVersion: '1.0.2',
      process: processOf(script, terminal),
      root: { path: 'rootfs' },
      hostname: 'test',
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'],
        },
        ...mounts,
      ],
      linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
    }),
  );
};

/** The shim's fields for `run` of the bundle in `dir` under that id. */
export const runFields = (runtime: Runtime, dir: string, id: string, terminal = false): Fields => [
  ...runtime.steps,
  ...[
    runtime.path,
    '--root',
    join(dir, 'state'),
    '--log',
    join(dir, 'fail.log'),
    'run',
    '--detach',
    '--bundle',
    dir,
    '--pid-file',
    join(dir, 'pid'),
  ].map((arg): [string, string] => ['arg', arg]),
  ...(terminal
    ? ([
        ['arg', '--console-socket'],
        ['arg', join(dir, 'console')],
        ['console-socket', 'console'],
        ['tty', 1],
      ] as Fields)
    : []),
  ['arg', id],
  ['pid-file', 'pid'],
  ['fail-file', 'fail.log'],
  ...[runtime.path, '--root', join(dir, 'state'), 'delete', '--force', id].map((arg): [string, string] => [
    'cleanup-arg',
    arg,
  ]),
];
