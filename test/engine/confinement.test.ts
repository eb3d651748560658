// Owns what programs of a container see of their confinement, under each runtime: new system calls, sessions, cgroups, AppArmor.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PROFILE_RULES } from '../../src/runtime/bundle/seccomp/default-profile.ts';
import { busybox } from '../fixtures/busybox.ts';
import { run as runCommand, which } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

const RUNTIMES = ['crun', 'runc'].filter((name) => which(name) !== undefined);
const ENOSYS = 38;
const EPERM = 1;

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const must = async (...args: string[]) => {
  const { code, stdout, stderr } = await daemon.gantry(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};

/** A program (x86-64) that makes one system call and exits with its errno. */
function callProgram(path: string, call: number): string {
  const code = Buffer.from('b8000000000f05f7d889c7b83c0000000f05', 'hex');
  code.writeUInt32LE(call, 1);
  const size = BigInt(120 + code.length);
  const head = Buffer.alloc(120);
  Buffer.from('7f454c46020101', 'hex').copy(head);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(62, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(0x400078n, 24);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(5, 68);
  head.writeBigUInt64LE(0x400000n, 80);
  head.writeBigUInt64LE(0x400000n, 88);
  head.writeBigUInt64LE(size, 96);
  head.writeBigUInt64LE(size, 104);
  head.writeBigUInt64LE(0x1000n, 112);
  writeFileSync(path, Buffer.concat([head, code]));
  chmodSync(path, 0o755);
  return path;
}

for (const runtime of RUNTIMES) {
  const by = ['--runtime', runtime];

  test(`${runtime}: a system call newer than the profile does not exist, so that programs fall back`, async (t) => {
    if (process.arch !== 'x64') return t.skip('the program is for x86-64');
    const fresh = callProgram(join(daemon.root, 'fresh'), 500);
    const forbidden = callProgram(join(daemon.root, 'forbidden'), 246);
    assert.equal((await runCommand(fresh, [])).code, ENOSYS, 'this kernel does not know it');
    const mounts = ['-v', `${fresh}:/fresh`, '-v', `${forbidden}:/forbidden`];
    // Also with a profile that no container had before: this set of capabilities is asked for once.
    for (const flags of [[], ['--cap-add', 'SYS_TIME', '--cap-add', 'NET_ADMIN'], ['--cap-drop', 'ALL']]) {
      const said = await daemon.gantry('run', '--rm', ...by, ...flags, ...mounts, 'busybox', '/fresh');
      assert.equal(said.code, ENOSYS, `${flags.join(' ')} ${said.stderr}`);
    }
    assert.equal((await daemon.gantry('run', '--rm', ...by, ...mounts, 'busybox', '/forbidden')).code, EPERM);
    const profile = join(daemon.root, 'profile.json');
    const rule = { names: PROFILE_RULES.flatMap(({ calls }) => calls), action: 'SCMP_ACT_ALLOW' };
    writeFileSync(
      profile,
      JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64'], syscalls: [rule] }),
    );
    const option = ['--security-opt', `seccomp=${profile}`];
    const owned = await daemon.gantry('run', '--rm', ...by, ...option, ...mounts, 'busybox', '/fresh');
    assert.equal(owned.code, ENOSYS, owned.stderr);
    await must('run', '-d', '--name', 'sleeper', ...by, ...mounts, 'busybox', 'sleep', '1000');
    assert.equal((await daemon.gantry('exec', 'sleeper', '/fresh')).code, ENOSYS);
    await must('rm', '-f', 'sleeper');
  });

  test(`${runtime}: an exec’s process leads a session of its own, and fails as before when it is no program`, async () => {
    await must('run', '-d', '--name', 'lead', ...by, 'busybox', 'sleep', '1000');
    const script =
      'cut -d" " -f1,5,6 /proc/$$/stat; echo $$; for d in 3 4 5 6 7 8; do test -e /proc/$$/fd/$d && echo $d; done; true';
    const look = async (...flags: string[]) => (await must('exec', ...flags, 'lead', 'sh', '-c', script)).split('\n');
    for (const flags of [[], ['-u', '1000:1000'], ['-i'], ['--privileged']]) {
      const [stat, pid, ...descriptors] = await look(...flags);
      assert.equal(stat, `${pid} ${pid} ${pid}`, flags.join(' '));
      assert.deepEqual(descriptors, [], flags.join(' '));
    }
    for (const [program, code, words] of [
      ['nosuch', 127, 'exec: "nosuch": executable file not found in $PATH'],
      ['/no/such', 127, 'exec: "/no/such": stat /no/such: no such file or directory'],
      ['/etc', 126, 'exec: "/etc": is a directory: permission denied'],
      ['/etc/passwd', 126, 'exec: "/etc/passwd": permission denied'],
    ] as const) {
      const said = await daemon.gantry('exec', 'lead', program);
      assert.equal(said.code, code, program);
      const reason = runtime === 'crun' ? words : words.replace(/stat \S+: |is a directory: /, '');
      assert.ok(`${said.stdout}${said.stderr}`.includes(runtime === 'crun' ? reason : 'exec: '), said.stderr);
    }
    const detached = await daemon.gantry('exec', '-d', 'lead', 'nosuch');
    assert.match(detached.stderr, /executable file not found in \$PATH/);
    await must('rm', '-f', 'lead');
  });

  test(`${runtime}: nobody but root writes beside a container’s cgroups, and nobody into them`, async () => {
    const script = 'stat -c "%a %u" /sys/fs/cgroup; touch /sys/fs/cgroup/x; true';
    const said = await daemon.gantry('run', '--rm', ...by, '-u', '1000', 'busybox', 'sh', '-c', script);
    const [folder] = said.stdout.split('\n');
    assert.match(folder ?? '', /^(755|555) 0$/);
    assert.match(said.stderr, /touch: .*(denied|Read-only)/);
    const inside = 'for folder in /sys/fs/cgroup/*/; do mkdir $folder/x; done; true';
    const root = await daemon.gantry('run', '--rm', ...by, 'busybox', 'sh', '-c', inside);
    for (const line of root.stderr.trim().split('\n')) assert.match(line, /Read-only file system/);
  });

  test(`${runtime}: an AppArmor profile means nothing where the kernel has no AppArmor`, async (t) => {
    let enabled = '';
    try {
      enabled = readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8');
    } catch {
      // No such module.
    }
    if (enabled.startsWith('Y')) return t.skip('this kernel has AppArmor');
    assert.equal(
      await must('run', '--rm', ...by, '--security-opt', 'apparmor=nosuch', 'busybox', 'echo', 'runs'),
      'runs',
    );
  });
}
