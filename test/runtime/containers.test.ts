// Real containers by the real shim, with each runtime.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import {
  describeStartFailure,
  pauseArgs,
  type RuntimeDriver,
  resolveUser,
  resumeArgs,
} from '../../src/runtime/index.ts';
import { type Bench, limitOf, openBench, runCommand, skip } from './support/bench.ts';

const FILES = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/var/www:/bin/sh\n',
  group: 'root:x:0:\nweb:x:44:\naudio:x:29:web\n',
};
const DEFAULT_MASK = '00000000a80425fb';
const sh = (script: string): string[] => ['sh', '-c', script];

for (const name of ['crun', 'runc']) {
  suite(`containers by ${name}`, { skip }, () => {
    let bench: Bench;
    let driver: RuntimeDriver;
    before(async () => {
      bench = await openBench();
      driver = bench.driver(name);
    });
    after(async () => {
      await bench[Symbol.asyncDispose]();
      assert.equal(existsSync(bench.dir), false);
      assert.equal(await bench.cgroups.exists(bench.host.cgroupParent), false, 'no cgroup is left');
    });

    test('a plain container is confined as Docker confines it', async () => {
      const { output, code } = await bench.run(driver, {
        command: sh('grep -E "^(Cap|Seccomp:|NoNewPrivs)" /proc/self/status; id; env; hostname; pwd; exit 7'),
      });
      assert.equal(code, 7);
      assert.match(output, new RegExp(`^CapBnd:\\t${DEFAULT_MASK}$`, 'm'));
      assert.match(output, new RegExp(`^CapEff:\\t${DEFAULT_MASK}$`, 'm'));
      assert.match(output, /^CapInh:\t0+$/m);
      assert.match(output, /^CapAmb:\t0+$/m);
      assert.match(output, /^Seccomp:\t2$/m);
      assert.match(output, /^NoNewPrivs:\t0$/m);
      assert.match(output, /^uid=0\(root\) gid=0\(root\) groups=0\(root\)$/m);
      assert.match(output, /^HOME=\/root$/m);
      assert.match(output, /^PATH=\/usr\/local\/sbin:\/usr\/local\/bin:\/usr\/sbin:\/usr\/bin:\/sbin:\/bin$/m);
    });

    test('the compiled filter of the cache holds as the compiled-anew one does', async () => {
      const script = 'unshare -m true 2>&1; mount -t tmpfs x /tmp 2>&1; grep Seccomp: /proc/self/status';
      const [first, second] = [
        await bench.run(driver, { command: sh(script) }),
        await bench.run(driver, { command: sh(script) }),
      ];
      assert.equal(first.output, second.output);
      assert.match(second.output, /unshare.*Operation not permitted/);
      assert.match(second.output, /Seccomp:\t2/);
    });

    test('the host’s secrets in /proc and /sys stay hidden and locked', async () => {
      const { output } = await bench.run(driver, {
        command: sh(
          'wc -c < /proc/timer_list; ls /sys/firmware | wc -l; (echo 1 > /proc/sys/kernel/panic) 2>&1; ' +
            '(echo x > /proc/irq/default_smp_affinity) 2>&1; d=/sys/fs/cgroup/memory; [ -d $d ] || d=/sys/fs/cgroup; mkdir $d/x 2>&1; ' +
            'cat /proc/sys/net/ipv4/ip_unprivileged_port_start; ls /sys/class/net',
        ),
      });
      const lines = output.trim().split('\n');
      assert.deepEqual(lines.slice(0, 2), ['0', '0']);
      assert.equal(output.match(/Read-only file system/g)?.length, 3, output);
      assert.deepEqual(lines.slice(-2), ['0', 'lo']);
    });

    test('another user has no capabilities, its groups and its home', async () => {
      const { output } = await bench.run(driver, {
        config: { User: 'web' },
        hostConfig: { CapAdd: ['NET_ADMIN'] },
        user: resolveUser('web', ['50'], FILES),
        command: sh('id -u; id -g; id -G; echo $HOME; grep -E "^Cap(Eff|Prm|Amb)" /proc/self/status'),
      });
      const [uid, gid, groups = '', home, ...caps] = output.trim().split('\n');
      assert.deepEqual([uid, gid, home], ['33', '44', '/var/www']);
      assert.deepEqual(
        groups
          .split(' ')
          .map(Number)
          .sort((a, b) => a - b),
        [29, 44, 50],
      );
      for (const line of caps) assert.match(line, /\t0+$/);
    });

    test('--privileged opens what Docker opens', async () => {
      const { output } = await bench.run(driver, {
        hostConfig: { Privileged: true },
        devices: [{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11, mode: 0o600, uid: 0, gid: 0, access: 'rwm' }],
        command: sh(
          'grep -E "^(CapEff|Seccomp:)" /proc/self/status; ls -l /dev/kmsg; mount -t tmpfs x /tmp && echo mounted; ' +
            '[ -w /proc/sys/kernel/panic ] && echo writable; mknod /tmp/d b 7 0 && head -c 1 /tmp/d >/dev/null; echo $?',
        ),
      });
      assert.match(output, /Seccomp:\t0/);
      assert.match(output, /mounted\nwritable\n0\n$/);
      assert.match(output, /1, +11 .*\/dev\/kmsg/);
    });

    test('a device is usable only when it was given', async () => {
      const script =
        'mknod /tmp/z c 1 5; head -c 1 /tmp/z | wc -c; mknod /tmp/k c 1 11; (head -c 1 /tmp/k || true) 2>&1; ls -l /dev/mine';
      const { output } = await bench.run(driver, {
        devices: [{ path: '/dev/mine', type: 'c', major: 1, minor: 5, mode: 0o640, uid: 0, gid: 9, access: 'r' }],
        command: sh(script),
      });
      assert.match(output, /^1\n/);
      assert.match(output, /\/tmp\/k: Operation not permitted/);
      assert.match(output, /crw-r----- .*9 +1, +5 .*\/dev\/mine/);
    });

    test('limits reach the cgroup', async () => {
      const running = await bench.start(driver, {
        hostConfig: { Memory: 64 << 20, NanoCpus: 5e8, CpuShares: 512, PidsLimit: 50, CpusetCpus: '0' },
        command: ['sleep', '100'],
      });
      assert.equal(await limitOf(bench, running, ['memory', 'memory.limit_in_bytes', 'memory.max']), String(64 << 20));
      assert.equal(await limitOf(bench, running, ['pids', 'pids.max', 'pids.max']), '50');
      const quota = await limitOf(bench, running, ['cpu', 'cpu.cfs_quota_us', 'cpu.max']);
      assert.match(quota, /^50000( 100000)?$/);
      assert.equal(await limitOf(bench, running, ['cpuset', 'cpuset.cpus', 'cpuset.cpus']), '0');
      assert.deepEqual(await bench.cgroups.pids(running.cgroupPath), [running.pid]);
      const { memoryLimitBytes, pids, pidsLimit } = await bench.cgroups.usage(running.cgroupPath);
      assert.deepEqual([memoryLimitBytes, pids, pidsLimit], [64 << 20, 1, 50]);
      assert.equal((await running.end()).code, 137);
      assert.equal(await bench.cgroups.exists(running.cgroupPath), false);
    });

    test('a container that eats too much is told apart from one that was killed', async () => {
      const { code, oomKilled } = await bench.run(driver, {
        hostConfig: { Memory: 16 << 20, MemorySwap: 16 << 20 },
        command: sh('head -c 100000000 /dev/zero | tail'),
      });
      assert.equal(oomKilled, true);
      assert.notEqual(code, 0);
    });

    test('a read-only root takes no writes but on tmpfs', async () => {
      const { output } = await bench.run(driver, {
        hostConfig: { ReadonlyRootfs: true, Tmpfs: { '/tmp': 'size=1m,mode=700' } },
        command: sh(
          '(touch /x) 2>&1; touch /tmp/y && echo ok; (cp /bin/busybox /tmp/b && /tmp/b true) 2>&1; grep " /tmp " /proc/mounts',
        ),
      });
      assert.match(output, /\/x: Read-only file system\nok\n/);
      assert.match(output, /tmpfs \/tmp tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k,mode=700/);
    });

    test('binds of files and directories, read-only or not, and the engine’s files', async () => {
      const source = `${bench.dir}/source-${name}`;
      mkdirSync(`${source}/sub`, { recursive: true });
      writeFileSync(`${source}/file`, 'from the host\n');
      const mount = { type: 'bind', propagation: 'rprivate' } as const;
      const { output } = await bench.run(driver, {
        mounts: [
          { ...mount, source, sourceIsDirectory: true, destination: '/data', writable: true },
          { ...mount, source, sourceIsDirectory: true, destination: '/locked/deep', writable: false },
          { ...mount, source: `${source}/file`, sourceIsDirectory: false, destination: '/one', writable: false },
        ],
        files: { hosts: `${source}/file` },
        command: sh('cat /one /etc/hosts; echo new > /data/new; (echo x > /locked/deep/y) 2>&1; (echo x > /one) 2>&1'),
      });
      assert.match(output, /^from the host\nfrom the host\n/);
      assert.equal(output.match(/Read-only file system/g)?.length, 2);
      assert.equal(readFileSync(`${source}/new`, 'utf8'), 'new\n');
    });

    test('a terminal is one, with its size and TERM', async () => {
      const { output } = await bench.run(driver, {
        config: { Tty: true },
        hostConfig: { ConsoleSize: [33, 99] },
        command: sh('tty; echo $TERM; stty size'),
      });
      assert.match(output, /^\/dev\/(pts\/0|console)\r\nxterm\r\n/);
    });

    test('stdin reaches the process and its end ends it', async () => {
      const { output, code } = await bench.run(driver, { command: ['cat'], stdin: 'hello\n' });
      assert.deepEqual([output, code], ['hello\n', 0]);
    });

    test('exec runs beside the first process, confined alike', async () => {
      const running = await bench.start(driver, {
        config: { Env: ['A=1'] },
        hostConfig: { Memory: 64 << 20 },
        command: ['sleep', '100'],
      });
      const plain = await running.exec({
        command: sh('grep -E "^(CapEff|Seccomp:)" /proc/self/status; echo $A $B; pwd; cat /proc/1/cmdline; exit 3'),
        env: ['B=2'],
        workingDir: '/tmp',
      });
      assert.equal(plain.code, 3);
      assert.match(plain.output, new RegExp(`CapEff:\\t${DEFAULT_MASK}\nSeccomp:\\t2\n1 2\n/tmp\nsleep`));
      const asWeb = await running.exec({
        command: sh('id -u; id -G; echo $HOME'),
        user: resolveUser('web', [], FILES),
      });
      assert.match(asWeb.output, /^33\n.*\n\/var\/www\n$/);
      const privileged = await running.exec({ command: sh('grep CapEff /proc/self/status'), privileged: true });
      assert.doesNotMatch(privileged.output, new RegExp(DEFAULT_MASK));
      const terminal = await running.exec({ command: sh('tty; echo $TERM'), tty: true });
      assert.match(terminal.output, /^\/dev\/pts\/\d+\r\nxterm\r\n$/);
      await running.end();
    });

    test('pause stops the clock of a container, resume lets it go on', async () => {
      const running = await bench.start(driver, { command: ['sleep', '100'] });
      await runCommand(bench, driver, pauseArgs(driver, running.id));
      assert.equal(await bench.cgroups.freezerState(running.cgroupPath), 'frozen');
      await runCommand(bench, driver, resumeArgs(driver, running.id));
      assert.equal(await bench.cgroups.freezerState(running.cgroupPath), 'thawed');
      await running.end();
    });

    test('--init is PID 1 and hands the exit code on', async () => {
      const { output, code } = await bench.run(driver, {
        hostConfig: { Init: true },
        command: sh('tr "\\0" " " < /proc/1/cmdline; exit 5'),
      });
      assert.equal(code, 5);
      assert.match(output, /^\/sbin\/docker-init .*-- sh -c/);
    });

    test('namespaces of the host or of another container are shared on demand', async () => {
      const other = await bench.start(driver, { command: ['sleep', '100'] });
      const joined = await bench.run(driver, {
        hostConfig: { PidMode: 'container:x', IpcMode: 'container:x', NetworkMode: 'container:x' },
        network: { kind: 'join', pid: other.pid },
        joinPid: other.pid,
        joinIpc: other.pid,
        command: sh('cat /proc/1/cmdline | tr "\\0" " "; readlink /proc/self/ns/ipc; readlink /proc/self/ns/net'),
      });
      const [, ipc, net] = /^sleep 100 (ipc:\S+)\n(net:\S+)\n$/.exec(joined.output) ?? [];
      const inspected = await other.exec({ command: sh('readlink /proc/1/ns/ipc; readlink /proc/1/ns/net') });
      assert.equal(inspected.output, `${ipc}\n${net}\n`);
      await other.end();
      const hosts = await bench.run(driver, {
        hostConfig: { PidMode: 'host', NetworkMode: 'host', UTSMode: 'host', IpcMode: 'host' },
        network: { kind: 'host' },
        command: sh('hostname; readlink /proc/self/ns/pid'),
      });
      assert.match(hosts.output, new RegExp(`^${bench.host.hostname}\n`));
      const own = await bench.run(driver, {
        hostConfig: { CgroupnsMode: 'private' },
        command: sh('grep -c "gantry-rt" /proc/self/cgroup'),
      });
      assert.equal(own.output, '0\n');
      await assert.rejects(
        bench.run(driver, {
          hostConfig: { NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } },
          network: { kind: 'host' },
          command: ['true'],
        }),
        { code: 'SHIM_FAILED' },
        'no container changes the host’s network settings',
      );
    });

    test('a program that is not there gives 127 and Docker’s words', async () => {
      for (const [program, exitCode, words] of [
        ['nosuch', 127, 'exec: "nosuch": executable file not found in $PATH'],
        ['/no/such', 127, 'exec: "/no/such": stat /no/such: no such file or directory'],
        ['/etc/passwd', 126, 'exec: "/etc/passwd": permission denied'],
        ['/tmp', 126, 'permission denied'],
      ] as const) {
        await assert.rejects(
          bench.run(driver, { command: [program] }),
          (error: Error & { params?: { stage: string; text: string } }) => {
            const { stage = '', text = '' } = error.params ?? {};
            const attempt = { phase: 'create' as const, driver, command: [program] };
            const described = describeStartFailure(attempt, { stage, errno: 0, text });
            assert.equal(described.exitCode, exitCode);
            assert.ok(described.message.includes(words), described.message);
            return true;
          },
        );
      }
      assert.deepEqual(readdirSync(driver.stateDir), [], 'the runtime keeps no state of them');
    });

    test('seccomp=unconfined and a profile of the user are obeyed', async () => {
      const open = await bench.run(driver, {
        hostConfig: { SecurityOpt: ['seccomp=unconfined', 'no-new-privileges'] },
        command: sh('grep -E "^(Seccomp:|NoNewPrivs)" /proc/self/status'),
      });
      assert.equal(open.output, 'NoNewPrivs:\t1\nSeccomp:\t0\n');
      const profile = JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [
          { names: ['mkdir', 'mkdirat', 'no_such_call'], action: 'SCMP_ACT_ERRNO', errnoRet: 13 },
          { names: ['chdir'], action: 'SCMP_ACT_ERRNO', excludes: { caps: ['CAP_CHOWN'] } },
        ],
      });
      const closed = await bench.run(driver, {
        hostConfig: { SecurityOpt: [`seccomp=${profile}`] },
        command: sh('cd /tmp; mkdir x 2>&1; pwd'),
      });
      assert.match(closed.output, /mkdir: .*Permission denied\n\/tmp\n/);
    });

    test('ulimits and sysctls arrive', async () => {
      const { output } = await bench.run(driver, {
        hostConfig: {
          Ulimits: [
            { Name: 'nofile', Soft: 100, Hard: 200 },
            { Name: 'core', Soft: -1, Hard: -1 },
          ],
          Sysctls: { 'kernel.shm_rmid_forced': '1', 'net.ipv4.ip_forward': '1' },
          ShmSize: 1 << 20,
        },
        config: { Domainname: 'example.org', Hostname: 'hh' },
        command: sh(
          'ulimit -n; ulimit -c; cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_forward; hostname; dnsdomainname >/dev/null 2>&1; cat /proc/sys/kernel/domainname; df -k /dev/shm | tail -1',
        ),
      });
      assert.match(output, /^100\nunlimited\n1\n1\nhh\nexample\.org\nshm +1024 /);
    });
  });
}
