import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limit } from '../../../host/cgroup/index.ts';
import type { HostConfig } from '../../../spec/docker/types.gen.ts';
import { settleResources } from './resources.ts';

const on = (...limits: readonly Limit[]) => ({
  cpus: 2,
  support: { limits: new Set(limits), cgroupNamespaces: true, cpus: '0-1', memoryNodes: '0' },
});
const MiB64 = 64 * 1024 * 1024;
const NONE = on();
const settle = (given: HostConfig, facts = NONE) => settleResources(given, facts);

test('a limit that the kernel cannot set is dropped, and the user is told in Docker’s words', () => {
  const throttle = [{ Path: '/dev/sda', Rate: 1 }];
  const missing = (what: string) => `Your kernel does not support ${what}`;
  const rows: readonly (readonly [HostConfig, Partial<HostConfig>, string])[] = [
    [
      { Memory: MiB64 },
      { Memory: 0, MemorySwap: -1 },
      'memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    ],
    [
      { MemoryReservation: MiB64 },
      { MemoryReservation: 0 },
      'memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
    ],
    [
      { MemorySwappiness: 5 },
      { MemorySwappiness: undefined },
      'memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    ],
    [{ OomKillDisable: true }, { OomKillDisable: undefined }, 'OomKillDisable. OomKillDisable discarded.'],
    [
      { PidsLimit: 5 },
      { PidsLimit: undefined },
      'PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
    ],
    [{ CpuShares: 512 }, { CpuShares: 0 }, 'CPU shares or the cgroup is not mounted. Shares discarded.'],
    [
      { CpuPeriod: 10_000, CpuQuota: 5000 },
      { CpuPeriod: 0, CpuQuota: 0 },
      'CPU CFS scheduler. CPU period/quota discarded.',
    ],
    [
      { CpusetCpus: '9', CpusetMems: '9' },
      { CpusetCpus: '', CpusetMems: '' },
      'cpuset or the cgroup is not mounted. Cpuset discarded.',
    ],
    [{ BlkioWeight: 5 }, { BlkioWeight: 0 }, 'Block I/O weight or the cgroup is not mounted. Weight discarded.'],
    [
      { BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 5 }] },
      { BlkioWeightDevice: [] },
      'Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    ],
    [
      { BlkioDeviceReadBps: throttle },
      { BlkioDeviceReadBps: [] },
      'BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
    ],
    [
      { BlkioDeviceWriteBps: throttle },
      { BlkioDeviceWriteBps: [] },
      'BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.',
    ],
    [
      { BlkioDeviceReadIOps: throttle },
      { BlkioDeviceReadIOps: [] },
      'IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.',
    ],
    [
      { BlkioDeviceWriteIOps: throttle },
      { BlkioDeviceWriteIOps: [] },
      'IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
    ],
  ];
  for (const [given, left, warning] of rows) {
    const { hostConfig, warnings } = settle(given);
    assert.deepEqual(warnings, [missing(warning)], warning);
    assert.deepEqual(hostConfig, { ...given, ...left }, warning);
  }
});

test('memory is limited without swap where only that is missing', () => {
  const { hostConfig, warnings } = settle({ Memory: MiB64, MemorySwap: 2 * MiB64 }, on('memory'));
  assert.deepEqual(hostConfig, { Memory: MiB64, MemorySwap: -1 });
  const swap = 'swap limit capabilities or the cgroup is not mounted. Memory limited without swap.';
  assert.deepEqual(warnings, [`Your kernel does not support ${swap}`]);
  assert.deepEqual(settle({ Memory: MiB64, MemorySwap: -1 }, on('memory')).warnings, []);
});

test('what the kernel can set stays, and without memory limit a missing OOM killer is warned of', () => {
  const given = { Memory: MiB64, OomKillDisable: true, PidsLimit: 5, CpusetCpus: '0-1', BlkioWeight: 500 };
  const { hostConfig, warnings } = settle(
    given,
    on('memory', 'swap', 'oomKillDisable', 'pids', 'cpuset', 'blkioWeight'),
  );
  assert.deepEqual(hostConfig, given);
  assert.deepEqual(warnings, []);
  assert.deepEqual(settle({ OomKillDisable: true }, on('oomKillDisable')).warnings, [
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
  ]);
  assert.deepEqual(settle({ OomKillDisable: false, PidsLimit: 0, CpuShares: 0, BlkioDeviceReadBps: [] }).warnings, []);
});

test('what cannot work anywhere is refused, where the kernel could set it or not', () => {
  const message = (given: HostConfig, facts = NONE): string => {
    try {
      settle(given, facts);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(message({ BlkioWeight: 5 }, on('blkioWeight')), 'Range of blkio weight is from 10 to 1000');
  assert.equal(message({ BlkioWeight: 1001 }, on('blkioWeight')), 'Range of blkio weight is from 10 to 1000');
  assert.equal(message({ CpuRealtimeRuntime: 5 }), 'kernel does not support CPU real-time scheduler');
  assert.equal(message({ CpuRealtimePeriod: 5 }), 'kernel does not support CPU real-time scheduler');
  assert.equal(
    message({ CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 }, on('cpuRealtime')),
    'cpu real-time runtime cannot be higher than cpu real-time period',
  );
  assert.equal(
    message({ NanoCpus: 1 }),
    'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
  );
});
