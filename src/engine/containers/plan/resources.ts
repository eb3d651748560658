// Owns a container's limits: refuses the impossible, drops with a warning what this kernel cannot limit. Pure.
// @source dockerd 28.5 for all texts and their order

import type { Limit, LimitSupport } from '../../../host/cgroup/index.ts';
import type { HostConfig } from '../../../spec/docker/types.gen.ts';
import { invalid } from '../errors.ts';
import { isInCpuset } from './cpuset.ts';

/** What validity depends on, of this host. */
export interface ResourceFacts {
  readonly cpus: number;
  readonly support: LimitSupport;
}

type Draft = { -readonly [Key in keyof HostConfig]: HostConfig[Key] };

interface Settling {
  readonly draft: Draft;
  readonly facts: ResourceFacts;
  readonly warnings: string[];
}

/** The host configuration with limits that this host can set, and a warning for each that it cannot. */
export interface SettledResources {
  readonly hostConfig: HostConfig;
  readonly warnings: readonly string[];
}

/** @throws GantryError invalid, in Docker's words, for limits that can never work */
export function settleResources(given: HostConfig, facts: ResourceFacts): SettledResources {
  const settling: Settling = { draft: { ...given }, facts, warnings: [] };
  checkForeign(given);
  checkRealtime(given, facts);
  settleMemory(settling);
  settleOomAndPids(settling);
  settleCpu(settling);
  settleCpuset(settling);
  settleBlockIo(settling);
  return { hostConfig: settling.draft, warnings: settling.warnings };
}

const MEMORY_FLOOR_BYTES = 6 * 1024 * 1024;
const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;
const NOT_MOUNTED = 'or the cgroup is not mounted';

/** Drops `fields` with a warning when the kernel cannot set the limit. */
function discard({ draft, facts, warnings }: Settling, limit: Limit, warning: string, fields: Draft): void {
  if (facts.support.limits.has(limit)) return;
  warnings.push(`Your kernel does not support ${warning}`);
  Object.assign(draft, fields);
}

/** Settings of Windows. */
function checkForeign({ IOMaximumBandwidth = 0, IOMaximumIOps = 0 }: HostConfig): void {
  const refuse = (what: string) =>
    invalid('QOS_MAXIMUM', `invalid option: QoS maximum ${what} configuration is not supported on linux`);
  if (IOMaximumBandwidth !== 0) throw refuse('bandwidth');
  if (IOMaximumIOps !== 0) throw refuse('IOPs');
}

function checkRealtime(given: HostConfig, { support }: ResourceFacts): void {
  const { CpuRealtimePeriod = 0, CpuRealtimeRuntime = 0, CpuShares = 0 } = given;
  if ((CpuRealtimePeriod !== 0 || CpuRealtimeRuntime !== 0) && !support.limits.has('cpuRealtime'))
    throw invalid('CPU_REALTIME', 'kernel does not support CPU real-time scheduler');
  if (CpuRealtimePeriod !== 0 && CpuRealtimeRuntime !== 0 && CpuRealtimeRuntime > CpuRealtimePeriod)
    throw invalid('CPU_REALTIME', 'cpu real-time runtime cannot be higher than cpu real-time period');
  if (CpuShares < 0) throw invalid('CPU_SHARES', `invalid CPU shares (${CpuShares}): value must be a positive integer`);
}

function settleMemory(settling: Settling): void {
  const { draft } = settling;
  // The command line says -1 for unset. @source dockerd 28.5 inspect
  if (draft.MemorySwappiness === -1) delete draft.MemorySwappiness;
  const memory = draft.Memory ?? 0;
  if (memory !== 0 && memory < MEMORY_FLOOR_BYTES)
    throw invalid('MEMORY_TOO_SMALL', 'Minimum memory limit allowed is 6MB');
  const limit = `memory limit capabilities ${NOT_MOUNTED}. Limitation discarded.`;
  if (memory > 0) discard(settling, 'memory', limit, { Memory: 0, MemorySwap: -1 });
  const swap = `swap limit capabilities ${NOT_MOUNTED}. Memory limited without swap.`;
  if ((draft.Memory ?? 0) > 0 && draft.MemorySwap !== -1) discard(settling, 'swap', swap, { MemorySwap: -1 });
  checkSwap(draft);
  settleSwappiness(settling);
  settleReservation(settling);
  settleKernelMemory(settling);
}

function checkSwap({ Memory = 0, MemorySwap = 0 }: Draft): void {
  if (MemorySwap <= 0) return;
  if (Memory > 0 && MemorySwap < Memory)
    throw invalid('SWAP_BELOW_MEMORY', 'Minimum memoryswap limit should be larger than memory limit, see usage');
  if (Memory === 0) {
    const text = 'You should always set the Memory limit when using Memoryswap limit, see usage';
    throw invalid('SWAP_WITHOUT_MEMORY', text);
  }
}

function settleSwappiness(settling: Settling): void {
  const { draft } = settling;
  if (draft.MemorySwappiness == null) return;
  const warning = `memory swappiness capabilities ${NOT_MOUNTED}. Memory swappiness discarded.`;
  discard(settling, 'memorySwappiness', warning, { MemorySwappiness: undefined });
  const value = draft.MemorySwappiness;
  if (value !== undefined && (value < 0 || value > 100))
    throw invalid('SWAPPINESS_RANGE', `Invalid value: ${value}, valid memory swappiness range is 0-100`);
}

function settleReservation(settling: Settling): void {
  const { draft } = settling;
  if ((draft.MemoryReservation ?? 0) <= 0) return;
  const warning = `memory soft limit capabilities ${NOT_MOUNTED}. Limitation discarded.`;
  discard(settling, 'memoryReservation', warning, { MemoryReservation: 0 });
  const { Memory = 0, MemoryReservation = 0 } = draft;
  if (MemoryReservation > 0 && MemoryReservation < MEMORY_FLOOR_BYTES)
    throw invalid('RESERVATION_TOO_SMALL', 'Minimum memory reservation allowed is 6MB');
  if (Memory > 0 && MemoryReservation > Memory) {
    const text = 'Minimum memory limit can not be less than memory reservation limit, see usage';
    throw invalid('MEMORY_BELOW_RESERVATION', text);
  }
}

/** Only clients before 1.42 can say it; kernels since 5.16 take it and limit nothing. */
function settleKernelMemory(settling: Settling): void {
  const { draft } = settling;
  if ((draft.KernelMemory ?? 0) <= 0) return;
  const warning = `kernel memory limit capabilities ${NOT_MOUNTED}. Limitation discarded.`;
  discard(settling, 'kernelMemory', warning, { KernelMemory: 0 });
  const { KernelMemory = 0 } = draft;
  if (KernelMemory > 0 && KernelMemory < MEMORY_FLOOR_BYTES)
    throw invalid('KERNEL_MEMORY_TOO_SMALL', 'Minimum kernel memory limit allowed is 6MB');
}

function settleOomAndPids(settling: Settling): void {
  const { draft, warnings } = settling;
  if (draft.OomKillDisable === true) {
    discard(settling, 'oomKillDisable', 'OomKillDisable. OomKillDisable discarded.', { OomKillDisable: undefined });
    if (draft.OomKillDisable && (draft.Memory ?? 0) === 0) {
      warnings.push(
        'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
      );
    }
  }
  const pids = `PIDs limit capabilities ${NOT_MOUNTED}. PIDs limit discarded.`;
  if ((draft.PidsLimit ?? 0) > 0) discard(settling, 'pids', pids, { PidsLimit: undefined });
}

function settleCpu(settling: Settling): void {
  const { draft, facts, warnings } = settling;
  checkNanoCpus(draft, facts);
  const shares = `CPU shares ${NOT_MOUNTED}. Shares discarded.`;
  if ((draft.CpuShares ?? 0) > 0) discard(settling, 'cpuShares', shares, { CpuShares: 0 });
  if ((draft.CpuPeriod ?? 0) !== 0 || (draft.CpuQuota ?? 0) !== 0) {
    const quota = 'CPU CFS scheduler. CPU period/quota discarded.';
    discard(settling, 'cpuQuota', quota, { CpuPeriod: 0, CpuQuota: 0 });
  }
  checkShares(draft);
  const { CpuPeriod = 0, CpuQuota = 0, CpuPercent = 0 } = draft;
  if (CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000)) {
    const text = 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)';
    throw invalid('CPU_PERIOD_RANGE', text);
  }
  if (CpuQuota > 0 && CpuQuota < 1000)
    throw invalid('CPU_QUOTA_RANGE', 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (CpuPercent > 0) {
    warnings.push('linux does not support CPU percent. Percent discarded.');
    draft.CpuPercent = 0;
  }
}

/** Docker's runtime refuses these at the start; crun takes the nearest that the kernel knows, and says nothing. */
function checkShares({ CpuShares = 0 }: Draft): void {
  if (CpuShares === 0) return;
  if (CpuShares < LEAST_SHARES) throw invalid('CPU_SHARES', `the minimum allowed cpu-shares is ${LEAST_SHARES}`);
  if (CpuShares > MOST_SHARES) throw invalid('CPU_SHARES', `the maximum allowed cpu-shares is ${MOST_SHARES}`);
}

function checkNanoCpus({ NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 }: Draft, { cpus, support }: ResourceFacts): void {
  const conflict = (other: string) =>
    invalid('CPUS_CONFLICT', `Conflicting options: Nano CPUs and CPU ${other} cannot both be set`);
  if (NanoCpus > 0 && CpuPeriod > 0) throw conflict('Period');
  if (NanoCpus > 0 && CpuQuota > 0) throw conflict('Quota');
  if (NanoCpus > 0 && !support.limits.has('cpuQuota')) {
    const reason = `your kernel does not support CPU CFS scheduler ${NOT_MOUNTED}`;
    throw invalid('CPUS_UNSUPPORTED', `NanoCPUs can not be set, as ${reason}`);
  }
  if (NanoCpus < 0 || NanoCpus > cpus * 1e9)
    throw invalid('CPUS_RANGE', `range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
}

function settleCpuset(settling: Settling): void {
  const { draft, facts } = settling;
  if (draft.CpusetCpus || draft.CpusetMems) {
    const warning = `cpuset ${NOT_MOUNTED}. Cpuset discarded.`;
    discard(settling, 'cpuset', warning, { CpusetCpus: '', CpusetMems: '' });
  }
  const check = (what: string, plural: string, asked: string, available: string): void => {
    if (isInCpuset(asked, available, what)) return;
    const text = `Requested ${plural} are not available - requested ${asked}, available: ${available}`;
    throw invalid('CPUSET_RANGE', text);
  };
  check('cpus', 'CPUs', draft.CpusetCpus ?? '', facts.support.cpus);
  check('mems', 'memory nodes', draft.CpusetMems ?? '', facts.support.memoryNodes);
}

/** Docker's words for the four throttles: field, limit, what the warning calls it. */
const THROTTLES = [
  ['BlkioDeviceReadBps', 'blkioReadBps', 'BPS Block I/O read limit', 'Block I/O BPS read'],
  ['BlkioDeviceWriteBps', 'blkioWriteBps', 'BPS Block I/O write limit', 'Block I/O BPS write'],
  ['BlkioDeviceReadIOps', 'blkioReadIops', 'IOPS Block read limit', 'Block I/O IOPS read'],
  ['BlkioDeviceWriteIOps', 'blkioWriteIops', 'IOPS Block write limit', 'Block I/O IOPS write'],
] as const;

function settleBlockIo(settling: Settling): void {
  const { draft } = settling;
  const weight = `Block I/O weight ${NOT_MOUNTED}. Weight discarded.`;
  if ((draft.BlkioWeight ?? 0) > 0) discard(settling, 'blkioWeight', weight, { BlkioWeight: 0 });
  const { BlkioWeight = 0 } = draft;
  if (BlkioWeight !== 0 && (BlkioWeight < 10 || BlkioWeight > 1000))
    throw invalid('BLKIO_WEIGHT_RANGE', 'Range of blkio weight is from 10 to 1000');
  const weightDevice = `Block I/O weight_device ${NOT_MOUNTED}. Weight-device discarded.`;
  if (draft.BlkioWeightDevice?.length) {
    discard(settling, 'blkioWeightDevice', weightDevice, { BlkioWeightDevice: [] });
  }
  for (const [field, limit, what, discarded] of THROTTLES) {
    if (!draft[field]?.length) continue;
    discard(settling, limit, `${what} ${NOT_MOUNTED}. ${discarded} limit discarded.`, { [field]: [] });
  }
}
