// Owns that limits which a user gives reach the kernel, whichever version of cgroups it has.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { busybox } from '../fixtures/busybox.ts';
import { must as command } from '../support/commands.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';

let daemon: Daemon;
before(async () => {
  daemon = await startDaemon();
  await daemon.load((await busybox()).archive);
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
const MiB = 1024 * 1024;

/** A whole block device of this host, and its numbers. */
function blockDevice(): { readonly path: string; readonly numbers: string } | undefined {
  for (const line of readFileSync('/proc/partitions', 'utf8').split('\n').slice(2)) {
    const [, major, minor, , name] = line.split(/\s+/);
    const path = `/dev/${name}`;
    if (name && existsSync(path) && statSync(path).isBlockDevice()) return { path, numbers: `${major}:${minor}` };
  }
  return undefined;
}

/** What the container of the body reads in its own cgroup. */
async function read(hostConfig: Record<string, unknown>, file: string): Promise<string> {
  const Cmd = ['cat', `/sys/fs/cgroup/${file}`];
  const created = await daemon.api('POST', '/containers/create', { Image: 'busybox', Cmd, HostConfig: hostConfig });
  assert.equal(created.status, 201, created.text);
  const { Id } = created.json<{ Id: string }>();
  const started = await daemon.api('POST', `/containers/${Id}/start`);
  assert.equal(started.status, 204, started.text);
  await daemon.api('POST', `/containers/${Id}/wait`);
  const { stdout, stderr } = await daemon.gantry('logs', Id);
  assert.equal(stderr, '');
  await daemon.api('DELETE', `/containers/${Id}`);
  return stdout.trim();
}

type Place = readonly [file: string, text: string | RegExp] | undefined;
type Row = readonly [hostConfig: Record<string, unknown>, v1: Place, v2: Place];

const ROWS: readonly Row[] = [
  [{ Memory: 64 * MiB }, ['memory/memory.limit_in_bytes', String(64 * MiB)], ['memory.max', String(64 * MiB)]],
  [
    { Memory: 64 * MiB },
    ['memory/memory.memsw.limit_in_bytes', String(128 * MiB)],
    ['memory.swap.max', String(64 * MiB)],
  ],
  [
    { Memory: 64 * MiB, MemorySwap: 80 * MiB },
    ['memory/memory.memsw.limit_in_bytes', String(80 * MiB)],
    ['memory.swap.max', String(16 * MiB)],
  ],
  [
    { MemoryReservation: 32 * MiB },
    ['memory/memory.soft_limit_in_bytes', String(32 * MiB)],
    ['memory.low', String(32 * MiB)],
  ],
  [{ MemorySwappiness: 33 }, ['memory/memory.swappiness', '33'], undefined],
  [{ Memory: 64 * MiB, OomKillDisable: true }, ['memory/memory.oom_control', /^oom_kill_disable 1$/m], undefined],
  [{ KernelMemoryTCP: 8 * MiB }, ['memory/memory.kmem.tcp.limit_in_bytes', String(8 * MiB)], undefined],
  [{ CpuShares: 512 }, ['cpu/cpu.shares', '512'], ['cpu.weight', /^\d+$/]],
  [{ CpuPeriod: 50_000 }, ['cpu/cpu.cfs_period_us', '50000'], ['cpu.max', 'max 50000']],
  [{ CpuQuota: 25_000 }, ['cpu/cpu.cfs_quota_us', '25000'], ['cpu.max', '25000 100000']],
  [{ NanoCpus: 5e8 }, ['cpu/cpu.cfs_quota_us', '50000'], ['cpu.max', '50000 100000']],
  [{ CpusetCpus: '0' }, ['cpuset/cpuset.cpus', '0'], ['cpuset.cpus', '0']],
  [{ CpusetMems: '0' }, ['cpuset/cpuset.mems', '0'], ['cpuset.mems', '0']],
  [{ PidsLimit: 55 }, ['pids/pids.max', '55'], ['pids.max', '55']],
];

for (const [hostConfig, v1, v2] of ROWS) {
  const place = isV2 ? v2 : v1;
  const name = Object.entries(hostConfig).map(([key, value]) => `${key} ${value}`);
  const file = place === undefined ? '' : place[0];
  const controller = `/sys/fs/cgroup/${isV2 ? '' : file.split('/')[0]}`;
  const missing = place === undefined || !existsSync(controller);
  test(`the kernel enforces ${name.join(' and ')}`, { skip: missing && 'this kernel has no such limit' }, async () => {
    const text = await read(hostConfig, file);
    const wanted = place?.[1] ?? '';
    if (typeof wanted === 'string') assert.equal(text, wanted);
    else assert.match(text, wanted);
  });
}

const device = blockDevice();
const THROTTLES: readonly (readonly [field: string, v1: string, v2: string])[] = [
  ['BlkioDeviceReadBps', 'blkio/blkio.throttle.read_bps_device', 'rbps'],
  ['BlkioDeviceWriteBps', 'blkio/blkio.throttle.write_bps_device', 'wbps'],
  ['BlkioDeviceReadIOps', 'blkio/blkio.throttle.read_iops_device', 'riops'],
  ['BlkioDeviceWriteIOps', 'blkio/blkio.throttle.write_iops_device', 'wiops'],
];
for (const [field, file, word] of THROTTLES) {
  const skip = device === undefined && 'this host has no block device';
  test(`the kernel throttles a block device by ${field}`, { skip }, async () => {
    const { path, numbers } = device ?? { path: '', numbers: '' };
    const text = await read({ [field]: [{ Path: path, Rate: 1_048_576 }] }, isV2 ? 'io.max' : file);
    if (isV2) assert.match(text, new RegExp(`^${numbers} .*${word}=1048576`, 'm'));
    else assert.equal(text, `${numbers} 1048576`);
  });
}

test('a limit that this kernel lacks is dropped with a warning, and the container runs', async (t) => {
  if (isV2 || existsSync('/sys/fs/cgroup/blkio/blkio.weight')) return t.skip('this kernel has weights');
  const Weight = 300;
  const BlkioWeightDevice = [{ Path: device?.path ?? '/dev/none', Weight }];
  const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { BlkioWeight: Weight, BlkioWeightDevice } };
  const { Id, Warnings } = (await daemon.api('POST', '/containers/create', body)).json<{
    Id: string;
    Warnings: string[];
  }>();
  const lacks = (what: string) => `Your kernel does not support Block I/O ${what} discarded.`;
  assert.deepEqual(Warnings, [
    lacks('weight or the cgroup is not mounted. Weight'),
    lacks('weight_device or the cgroup is not mounted. Weight-device'),
  ]);
  assert.equal((await daemon.api('POST', `/containers/${Id}/start`)).status, 204);
  const { HostConfig } = (await daemon.api('GET', `/containers/${Id}/json`)).json<{
    HostConfig: Record<string, unknown>;
  }>();
  assert.deepEqual([HostConfig.BlkioWeight, HostConfig.BlkioWeightDevice], [0, []]);
});

test('a container lies in the cgroup that was asked for', async (t) => {
  const parent = `/gt-parent-${process.pid}`;
  // Docker leaves it as well: it is the user's.
  t.after(() =>
    command('find', ['/sys/fs/cgroup', '-depth', '-type', 'd', '-name', parent.slice(1), '-exec', 'rmdir', '{}', ';']),
  );
  const said = await daemon.gantry('run', '--rm', '--cgroup-parent', parent, 'busybox', 'cat', '/proc/self/cgroup');
  const paths = said.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(':')[2] ?? '');
  assert.ok(isV2 || paths.filter((path) => path.startsWith(`${parent}/`)).length > 1, said.stdout);
  const own = await daemon.gantry('run', '--rm', '--cgroupns', 'private', 'busybox', 'cat', '/proc/self/cgroup');
  for (const line of own.stdout.trim().split('\n')) assert.match(line, /:\/$/);
});
