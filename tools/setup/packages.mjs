// Owns which system packages are needed and installs the missing ones with apt-get. Removes and upgrades nothing.

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { busy, done, run, SetupFailure } from './step.mjs';

/** Each need: how to see that it is there (a program on PATH, a file, a shared library), and the Debian package that brings it. */
const ENGINE = [
  { program: 'runc', package: 'runc', why: 'runs containers' },
  { program: 'crun', package: 'crun', why: 'runs containers, faster' },
  { program: 'nft', package: 'nftables', why: 'publishes ports' },
  { program: 'ps', package: 'procps', why: 'lists processes for `top`' },
  { program: 'xz', package: 'xz-utils', why: 'unpacks xz archives' },
  { program: 'bzip2', package: 'bzip2', why: 'unpacks bzip2 archives' },
  { program: 'busybox', package: 'busybox-static', why: 'is the embedded image' },
  { file: '/etc/ssl/certs/ca-certificates.crt', package: 'ca-certificates', why: 'trusts registries' },
  { library: 'libatomic.so.1', package: 'libatomic1', why: 'starts Node' },
  { library: 'libstdc++.so.6', package: 'libstdc++6', why: 'starts Node' },
];
const SHIM = [
  { program: 'gcc', package: 'gcc', why: 'compiles the shim' },
  { program: 'make', package: 'make', why: 'compiles the shim' },
  { file: '/usr/include/stdio.h', package: 'libc6-dev', why: 'compiles the shim' },
];
const TESTS = [
  { program: 'mmdebstrap', package: 'mmdebstrap', why: 'builds the test images' },
  { program: 'ip', package: 'iproute2', why: 'looks at links' },
  { program: 'curl', package: 'curl', why: 'calls published ports' },
  { program: 'mkfs.ext4', package: 'e2fsprogs', why: 'makes small disks' },
  { program: 'script', package: 'bsdutils', why: 'gives commands a terminal' },
  { program: 'setcap', package: 'libcap2-bin', why: 'makes files with capabilities' },
  { program: 'zstd', package: 'zstd', why: 'makes zstd layers' },
  { program: 'openssl', package: 'openssl', why: 'makes certificates' },
  { program: 'chromium', package: 'chromium', why: 'looks at the registry’s page' },
];

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const onPath = (program) => FOLDERS.some((folder) => existsSync(join(folder, program)));

function isLibrary(name) {
  const roots = ['/usr/lib', '/lib', '/usr/lib64', '/lib64'].filter((folder) => existsSync(folder));
  const folders = roots.flatMap((root) => [
    root,
    ...readdirSync(root)
      .filter((name_) => name_.includes('-linux-'))
      .map((name_) => join(root, name_)),
  ]);
  return folders.some((folder) => existsSync(join(folder, name)));
}

function isThere(need) {
  if (need.program) return onPath(need.program);
  return need.library ? isLibrary(need.library) : existsSync(need.file);
}

const missing = (needs) => needs.filter((need) => !isThere(need));
const nameOf = (need) => need.program ?? need.library ?? need.file;

async function aptGet(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env });
}

/**
 * Installs what is missing for the engine, and for compiling the shim and running the tests when asked.
 * @throws SetupFailure when something is missing and there is no apt-get, or apt-get fails.
 */
export async function installPackages({ shim, tests }) {
  const needs = [...ENGINE, ...(shim ? SHIM : []), ...(tests ? TESTS : [])];
  const lacking = missing(needs);
  if (lacking.length === 0) return done('System packages');
  const names = [...new Set(lacking.map((need) => need.package))].join(' ');
  if (!onPath('apt-get')) {
    throw new SetupFailure(
      `No package manager that this set-up knows (apt-get), and these are missing: ${names}.`,
      `Install the programs ${lacking.map(nameOf).join(', ')} with your system's own tools, then run it again.`,
    );
  }
  busy(`Installing ${lacking.map((need) => `${need.package}, which ${need.why}`).join('; ')}`);
  const updated = await aptGet('update');
  const installed = await aptGet('install', '-y', '--no-install-recommends', ...names.split(' '));
  if (installed.code !== 0) {
    const detail = updated.code === 0 ? installed.output : updated.output + installed.output;
    throw new SetupFailure(
      `apt-get could not install: ${names}.`,
      `See its words above; try: apt-get install ${names}`,
      detail,
    );
  }
  const still = missing(needs);
  if (still.length > 0) {
    const what = still.map(nameOf).join(', ');
    throw new SetupFailure(`Still missing after apt-get: ${what}.`, 'Check PATH and the packages named above.');
  }
  done('System packages', `installed ${names}`);
}
