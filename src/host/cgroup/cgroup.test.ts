import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type Cgroups, createCgroups, createFakeCgroups, parseLayout } from './index.ts';

const V2 =
  '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';
const V1 = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
`;
const UNIFIED = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';

test('the host’s cgroup mode is told from its mounts', () => {
  const v2 = parseLayout(V2, 'cpuset cpu io memory pids\n');
  assert.deepEqual([v2.mode, v2.version, v2.unified], ['v2', 2, '/sys/fs/cgroup']);
  assert.deepEqual(v2.unifiedControllers, ['cpuset', 'cpu', 'io', 'memory', 'pids']);
  const v1 = parseLayout(V1, '');
  assert.deepEqual([v1.mode, v1.version, v1.unified], ['v1', 1, '']);
  assert.deepEqual(Object.fromEntries(v1.controllers), {
    cpu: '/sys/fs/cgroup/cpu,cpuacct',
    cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
    memory: '/sys/fs/cgroup/memory',
    'name=systemd': '/sys/fs/cgroup/systemd',
  });
  const hybrid = parseLayout(V1 + UNIFIED, 'hugetlb\n');
  assert.deepEqual([hybrid.mode, hybrid.version, hybrid.unified], ['hybrid', 1, '/sys/fs/cgroup/unified']);
  assert.deepEqual(hybrid.unifiedControllers, ['hugetlb']);
});

async function withTree(files: Readonly<Record<string, string>>, run: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'gantry-cgroup-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    await run(root);
  } finally {
    await rm(root, { recursive: true });
  }
}

const V2_TREE = {
  'g/a/cgroup.procs': '12\n13\n',
  'g/a/inner/cgroup.procs': '14\n',
  'g/a/cgroup.freeze': '1\n',
  'g/a/cgroup.events': 'populated 1\nfrozen 1\n',
  'g/a/memory.current': '4096\n',
  'g/a/memory.peak': '8192\n',
  'g/a/memory.max': '67108864\n',
  'g/a/memory.stat': 'anon 100\ninactive_file 50\n',
  'g/a/memory.events': 'low 0\noom 1\noom_kill 2\n',
  'g/a/cpu.stat': 'usage_usec 30\nuser_usec 10\nsystem_usec 20\nnr_periods 5\nnr_throttled 1\nthrottled_usec 7\n',
  'g/a/pids.current': '3\n',
  'g/a/pids.max': 'max\n',
  'g/a/io.stat': '254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:0 \n',
};

const V1_TREE = {
  'pids/g/a/cgroup.procs': '12\n13\n',
  'pids/g/a/inner/cgroup.procs': '14\n',
  'pids/g/a/pids.current': '3\n',
  'pids/g/a/pids.max': 'max\n',
  'freezer/g/a/freezer.state': 'FROZEN\n',
  'memory/g/a/memory.usage_in_bytes': '4096\n',
  'memory/g/a/memory.max_usage_in_bytes': '8192\n',
  'memory/g/a/memory.limit_in_bytes': '67108864\n',
  'memory/g/a/memory.stat': 'anon 100\ninactive_file 50\n',
  'memory/g/a/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
  'cpu/g/a/cpuacct.usage': '30000\n',
  'cpu/g/a/cpuacct.usage_user': '10000\n',
  'cpu/g/a/cpuacct.usage_sys': '20000\n',
  'cpu/g/a/cpu.stat': 'nr_periods 5\nnr_throttled 1\nthrottled_time 7000\n',
  'blkio/g/a/blkio.throttle.io_service_bytes': '254:0 Read 1\n254:0 Write 2\n254:0 Total 3\nTotal 3\n',
  'blkio/g/a/blkio.throttle.io_serviced': '254:0 Read 3\n254:0 Write 4\n',
};

async function checkReads(cgroups: Cgroups): Promise<void> {
  assert.equal(await cgroups.exists('/g/a'), true);
  assert.equal(await cgroups.exists('/g/none'), false);
  assert.deepEqual(await cgroups.children('/g'), ['a']);
  assert.deepEqual((await cgroups.pids('/g/a')).sort(), [12, 13, 14]);
  assert.deepEqual(await cgroups.pids('/g/none'), []);
  assert.equal(await cgroups.freezerState('/g/a'), 'frozen');
  assert.equal(await cgroups.freezerState('/g/none'), 'none');
  const usage = await cgroups.usage('/g/a');
  const device = { major: 254, minor: 0, readBytes: 1, writeBytes: 2, readOperations: 3, writeOperations: 4 };
  assert.deepEqual(usage.io[0], device);
  assert.deepEqual(
    { ...usage, io: [] },
    {
      memoryBytes: 4096,
      memoryPeakBytes: 8192,
      memoryLimitBytes: 67108864,
      memoryStat: { anon: 100, inactive_file: 50 },
      oomKills: 2,
      cpuNs: 30000,
      cpuUserNs: 10000,
      cpuSystemNs: 20000,
      throttlePeriods: 5,
      throttledPeriods: 1,
      throttledNs: 7000,
      pids: 3,
      pidsLimit: undefined,
      io: [],
    },
  );
  await cgroups.remove('/g/none');
}

test('on a version 2 host stats, pids and pause state are read', () =>
  withTree(V2_TREE, async (root) => {
    const line = V2.replace('/sys/fs/cgroup', root);
    const cgroups = createCgroups(parseLayout(line, 'cpu memory pids'));
    await checkReads(cgroups);
    assert.equal(cgroups.oomFile('/g/a'), `${root}/g/a/memory.events`);
  }));

test('on a version 1 host stats, pids and pause state are read', () =>
  withTree(V1_TREE, async (root) => {
    const mount = (name: string, options: string): string =>
      `1 1 0:1 / ${root}/${name} rw - cgroup cgroup rw,${options}\n`;
    const mountinfo =
      mount('pids', 'pids') +
      mount('freezer', 'freezer') +
      mount('memory', 'memory') +
      mount('cpu', 'cpu,cpuacct') +
      mount('blkio', 'blkio');
    const cgroups = createCgroups(parseLayout(mountinfo, ''));
    await checkReads(cgroups);
    assert.equal(cgroups.oomFile('/g/a'), `${root}/memory/g/a/memory.oom_control`);
  }));

test('leftover cgroups go, the innermost first', () =>
  withTree({}, async (root) => {
    await mkdir(`${root}/g/a/b/c`, { recursive: true });
    const cgroups = createCgroups(parseLayout(V2.replace('/sys/fs/cgroup', root), ''));
    await cgroups.remove('/g/a');
    assert.deepEqual(await cgroups.children('/g'), []);
  }));

test('the fake behaves like a host', async () => {
  const tree = new Map([
    ['/g/a', { pids: [1] }],
    ['/g/a/b', { pids: [2] }],
  ]);
  const cgroups = createFakeCgroups(tree);
  assert.deepEqual(await cgroups.pids('/g/a'), [1, 2]);
  assert.deepEqual(await cgroups.children('/g'), ['a']);
  await assert.rejects(cgroups.remove('/g/a'), { code: 'CGROUP_BUSY' });
  tree.clear();
  assert.equal(await cgroups.exists('/g/a'), false);
});
