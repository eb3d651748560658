// Owns the create bodies that ask for limits. What a kernel may lack is in resources.test.ts beside the source.

import { type BodyCase, host, sees } from '../types.ts';

const MEMORY = 64 * 1024 * 1024;

export const LIMITS: readonly BodyCase[] = [
  {
    name: 'a memory limit that can never work is refused, not dropped',
    tries: [
      ...[1, -1, -5, MEMORY].map((Memory) => host({ Memory })),
      ...[1, -5].map((MemoryReservation) => host({ MemoryReservation })),
      host({ Memory: MEMORY, MemoryReservation: MEMORY * 2 }),
      host({ Memory: MEMORY, MemorySwap: MEMORY / 2 }),
      ...[MEMORY, -1, -5].map((MemorySwap) => host({ MemorySwap }, { shows: ['HostConfig.MemorySwap'] })),
      ...[1, 6_000_000, 8_000_000].map((KernelMemory) => ({
        ...host({ KernelMemory }, { shows: ['HostConfig.KernelMemory'] }),
        version: 'v1.41',
      })),
      host({ KernelMemory: 1 }, { shows: ['HostConfig.KernelMemory'] }),
      ...[-2, 101].map((MemorySwappiness) => host({ MemorySwappiness })),
      host({ MemorySwappiness: -1 }, { shows: ['HostConfig.MemorySwappiness'] }),
      host({ ShmSize: -1 }),
    ],
  },
  {
    name: 'a CPU limit that can never work is refused, not dropped',
    tries: [
      ...[1, 262_145, -5].map((CpuShares) => host({ CpuShares }, { start: true })),
      ...[-5, 9e15].map((NanoCpus) => host({ NanoCpus })),
      host({ NanoCpus: 1e9, CpuPeriod: 100_000 }),
      host({ NanoCpus: 1e9, CpuQuota: 100_000 }),
      ...[5, -5, 5_000_000].map((CpuPeriod) => host({ CpuPeriod })),
      host({ CpuQuota: 5 }),
      host({ CpuQuota: -5 }, { start: true, shows: ['HostConfig.CpuQuota'] }),
      host({ CpuPercent: 50 }, { shows: ['HostConfig.CpuPercent'] }),
      host({ CpuPercent: -50, CpuCount: 5 }, { start: true, shows: ['HostConfig.CpuPercent', 'HostConfig.CpuCount'] }),
      host({ IOMaximumIOps: 5 }),
      host({ IOMaximumBandwidth: 5 }),
      host({ BlkioWeight: -5 }),
      host({ BlkioWeightDevice: [{ Path: '/dev/nope', Weight: -5 }] }),
    ],
  },
  {
    name: 'CPUs and memory nodes that are not there are refused',
    tries: [
      ...['9999999999999', '10000', '8000', 'x', '0-', '1-0', ' 0', '0,', ','].map((CpusetCpus) =>
        host({ CpusetCpus }),
      ),
      ...['9', 'x', '0-3', '0-'].map((CpusetMems) => host({ CpusetMems })),
      sees('grep -c Cpus_allowed_list:.0$ /proc/self/status', { CpusetCpus: '0', CpusetMems: '0' }),
    ],
  },
  {
    name: 'limits of processes, of the OOM killer and of files are enforced',
    tries: [
      ...[-5, 0, 7].map((PidsLimit) => host({ PidsLimit }, { start: true, shows: ['HostConfig.PidsLimit'] })),
      ...[-1001, 1001].map((OomScoreAdj) => host({ OomScoreAdj })),
      sees('cat /proc/self/oom_score_adj', { OomScoreAdj: 500 }),
      sees('ulimit -n; ulimit -Hn; ulimit -c', {
        Ulimits: [
          { Name: 'nofile', Soft: 100, Hard: 200 },
          { Name: 'CORE', Soft: -1, Hard: -1 },
        ],
      }),
      host({ Ulimits: [{ Name: 'nope', Soft: 1, Hard: 1 }] }, { start: true }),
      host({ Ulimits: [{ Soft: 1, Hard: 1 }] }, { start: true }),
      sees('df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2', { ShmSize: 1024 * 1024 }),
    ],
  },
];
