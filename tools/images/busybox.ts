// Owns a root file system made of the distribution's statically linked busybox: the embedded image, so that a first container
// needs no registry. Usage: busybox.ts OUT.tar NAME:TAG writes a docker-archive whose command says hello.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { packLayer, writeDockerArchive, writeLayout } from './layout.ts';

const FOLDERS = {
  bin: 0o755,
  sbin: 0o755,
  usr: 0o755,
  'usr/bin': 0o755,
  'usr/sbin': 0o755,
  etc: 0o755,
  dev: 0o755,
  proc: 0o555,
};
const MORE = {
  sys: 0o555,
  root: 0o700,
  home: 0o755,
  var: 0o755,
  tmp: 0o1777,
  run: 0o755,
  'var/spool': 0o755,
  'var/www': 0o755,
};
const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const GROUP = 'root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n';

const HELLO = `#!/bin/sh
echo "Hello from Gantry!"
echo "This is process $$ of container $(hostname), on Linux $(uname -r)."
echo "Its root file system is an overlay: $(awk '$2 == "/" { print $3 }' /proc/mounts); its address is $(hostname -i)."
`;

/** The distribution's busybox. @throws Error when it is missing or needs shared libraries */
function busyboxPath(): string {
  const path = ['/bin/busybox', '/usr/bin/busybox'].find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error('busybox is missing: apt-get install busybox-static');
  const linkage = execFileSync('sh', ['-c', 'ldd "$1" 2>&1 || :', 'sh', path], { encoding: 'utf8' });
  if (linkage.includes('.so')) throw new Error(`${path} needs shared libraries: apt-get install busybox-static`);
  return path;
}

/** One time for everything, so that the layer's digest depends on content alone. */
function setTimes(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) setTimes(join(folder, entry.name));
    else if (entry.isFile()) utimesSync(join(folder, entry.name), 0, 0);
  }
  utimesSync(folder, 0, 0);
}

/** Lays busybox with links for its applets, users and a greeting into `root`. */
export function layBusybox(root: string): void {
  const busybox = busyboxPath();
  for (const [name, mode] of Object.entries({ ...FOLDERS, ...MORE })) {
    mkdirSync(join(root, name), { recursive: true });
    chmodSync(join(root, name), mode);
  }
  copyFileSync(busybox, join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  const applets = execFileSync(busybox, ['--list-full'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets) {
    const link = join(root, applet);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(root, 'bin/busybox')), link);
  }
  writeFileSync(join(root, 'etc/passwd'), PASSWD);
  writeFileSync(join(root, 'etc/group'), GROUP);
  writeFileSync(join(root, 'bin/hello'), HELLO, { mode: 0o755 });
  setTimes(root);
}

/** Writes an OCI layout of the busybox image called `name` into `folder`. */
export async function busyboxLayout(folder: string, name: string, command: readonly string[]): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'gantry-busybox-'));
  try {
    chmodSync(root, 0o755);
    layBusybox(root);
    const layer = await packLayer(folder, root);
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    writeLayout(folder, name, [layer], { Cmd: command, Env: [`PATH=${path}`] });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [out = '', name = ''] = process.argv.slice(2);
  const folder = mkdtempSync(join(tmpdir(), 'gantry-busybox-'));
  try {
    await busyboxLayout(folder, name, ['hello']);
    await writeDockerArchive(folder, name, out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
