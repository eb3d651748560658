// Owns what a health check's settings mean and what a probe's result changes. Pure.

import type { HealthConfig } from '../../spec/docker/types.gen.ts';
import type { HealthState, ProbeRecord } from './types.ts';

/** Docker's defaults filled in; milliseconds. */
export interface HealthPlan {
  readonly command: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

const KEPT_PROBES = 5;
export const OUTPUT_BYTES = 4096;
export const INITIAL_HEALTH: HealthState = { status: 'starting', failingStreak: 0, log: [] };

/** The plan of a container's check; undefined when it has none. @source docker-behaviours §8 */
export function healthPlan(
  check: HealthConfig | undefined,
  shell: readonly string[] | null | undefined,
): HealthPlan | undefined {
  const [form, ...rest] = check?.Test ?? [];
  const command =
    form === 'CMD' ? rest : form === 'CMD-SHELL' ? [...(shell?.length ? shell : ['/bin/sh', '-c']), ...rest] : [];
  if (command.length === 0) return undefined;
  const ms = (nanoseconds: number | undefined, fallback: number): number =>
    nanoseconds ? nanoseconds / 1e6 : fallback;
  return {
    command,
    intervalMs: ms(check?.Interval, 30_000),
    timeoutMs: ms(check?.Timeout, 30_000),
    startPeriodMs: ms(check?.StartPeriod, 0),
    startIntervalMs: ms(check?.StartInterval, 5000),
    retries: check?.Retries || 3,
  };
}

/** True while failures do not count: nothing succeeded yet and the start period is not over. */
function inStartPeriod(state: HealthState, plan: HealthPlan, sinceStartMs: number): boolean {
  return state.status === 'starting' && sinceStartMs < plan.startPeriodMs;
}

/** The wait before the next probe. */
export function nextProbeMs(state: HealthState, plan: HealthPlan, sinceStartMs: number): number {
  return inStartPeriod(state, plan, sinceStartMs) ? plan.startIntervalMs : plan.intervalMs;
}

/** The state after a probe. */
export function afterProbe(
  state: HealthState,
  plan: HealthPlan,
  probe: ProbeRecord,
  sinceStartMs: number,
): HealthState {
  const log = [...state.log, probe].slice(-KEPT_PROBES);
  if (probe.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  if (inStartPeriod(state, plan, sinceStartMs)) return { ...state, log };
  const failingStreak = state.failingStreak + 1;
  return { status: failingStreak >= plan.retries ? 'unhealthy' : state.status, failingStreak, log };
}

/** What the log shows of a probe that was killed, with what it had written. @source dockerd 28.5 */
export function timeoutText(timeoutMs: number, output: string): string {
  const text = `Health check exceeded timeout (${durationText(timeoutMs)})`;
  return output === '' ? text : `${text}: ${output}`;
}

/** `1s`, `1m30s`, `500ms`, as Go prints durations. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const rest = `${minutes % 60}m${seconds % 60}s`;
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}h${rest}`;
}
