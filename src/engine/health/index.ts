// Owns probing containers that have a health check, one timer each. Restarts nothing.

import { formatNano, nowNano } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { ContainerRecord } from '../containers/types.ts';
import { afterProbe, type HealthPlan, healthPlan, INITIAL_HEALTH, nextProbeMs, timeoutText } from './rules.ts';
import type { HealthState, ProbeRecord } from './types.ts';

export { OUTPUT_BYTES } from './rules.ts';

export interface HealthDeps {
  /** Runs a command in the container; its exit code is undefined when it was killed for taking too long. */
  readonly probe: (
    container: ContainerRecord,
    command: readonly string[],
    timeoutMs: number,
  ) => Promise<{ readonly exitCode: number | undefined; readonly output: string }>;
  readonly find: (id: string) => ContainerRecord | undefined;
  /** Called at each change between healthy and unhealthy. */
  readonly changed: (container: ContainerRecord, state: HealthState) => void;
}

export interface Health extends Disposable {
  started(container: ContainerRecord): void;
  stopped(id: string): void;
  removed(id: string): void;
  /** undefined for a container without a check, or that was never started. */
  of(id: string): HealthState | undefined;
}

interface Monitor {
  state: HealthState;
  timer: NodeJS.Timeout | undefined;
  readonly startedMs: number;
  readonly plan: HealthPlan;
}

export function createHealth(deps: HealthDeps): Health {
  const monitors = new Map<string, Monitor>();
  const halt = (id: string): Monitor | undefined => {
    const monitor = monitors.get(id);
    clearTimeout(monitor?.timer);
    return monitor;
  };
  const schedule = (id: string, monitor: Monitor): void => {
    const waitMs = nextProbeMs(monitor.state, monitor.plan, performance.now() - monitor.startedMs);
    monitor.timer = setTimeout(() => void round(id, monitor), waitMs);
  };
  const round = async (id: string, monitor: Monitor): Promise<void> => {
    const container = deps.find(id);
    if (container?.state.phase === 'running') {
      const probe = await runProbe(deps, container, monitor.plan);
      // Stopped meanwhile, or started again: the answer is of another run.
      if (monitors.get(id) !== monitor || monitor.timer === undefined) return;
      const before = monitor.state.status;
      monitor.state = afterProbe(monitor.state, monitor.plan, probe, performance.now() - monitor.startedMs);
      if (monitor.state.status !== before) deps.changed(container, monitor.state);
    }
    if (monitor.timer !== undefined) schedule(id, monitor);
  };
  return {
    started(container) {
      halt(container.id);
      const plan = healthPlan(container.config.Healthcheck, container.config.Shell);
      if (!plan) return;
      const monitor: Monitor = { state: INITIAL_HEALTH, timer: undefined, startedMs: performance.now(), plan };
      monitors.set(container.id, monitor);
      schedule(container.id, monitor);
    },
    stopped(id) {
      const monitor = halt(id);
      if (!monitor) return;
      monitor.timer = undefined;
      // A container that does not run is not well. @source dockerd 28.5: inspect after stop
      monitor.state = { ...monitor.state, status: 'unhealthy', failingStreak: 0 };
    },
    removed(id) {
      halt(id);
      monitors.delete(id);
    },
    of: (id) => monitors.get(id)?.state,
    [Symbol.dispose]() {
      for (const id of [...monitors.keys()]) {
        halt(id);
        monitors.delete(id);
      }
    },
  };
}

async function runProbe(deps: HealthDeps, container: ContainerRecord, plan: HealthPlan): Promise<ProbeRecord> {
  const start = formatNano(nowNano());
  const finish = (exitCode: number, output: string): ProbeRecord => ({
    start,
    end: formatNano(nowNano()),
    exitCode,
    output,
  });
  try {
    const { exitCode, output } = await deps.probe(container, plan.command, plan.timeoutMs);
    return exitCode === undefined ? finish(-1, timeoutText(plan.timeoutMs, output)) : finish(exitCode, output);
  } catch (error) {
    return finish(-1, messageOf(error));
  }
}
