// Owns which moves a container's phase allows, and what is decided from a run's end. Pure.

import { GantryError } from '../../lib/errors.ts';
import type { RestartPolicy } from '../../spec/docker/types.gen.ts';
import { beingRemoved, isPaused } from './errors.ts';
import type { ContainerPhase, ContainerRecord, ContainerState } from './types.ts';

/** True while a process of the container exists. */
export function isAlive(phase: ContainerPhase): boolean {
  return phase === 'running' || phase === 'paused';
}

/** True while a process exists or is about to, by a restart policy. */
export function isActive(phase: ContainerPhase): boolean {
  return isAlive(phase) || phase === 'restarting';
}

/** @throws notModified when running, conflict when paused or being removed */
export function checkMayStart({ id, state }: ContainerRecord): void {
  switch (state.phase) {
    case 'running':
      throw new GantryError('notModified', 'ALREADY_RUNNING', `container ${id} is already running`);
    case 'paused':
      throw new GantryError('conflict', 'CONTAINER_PAUSED', 'cannot start a paused container, try unpause instead');
    case 'removing':
    case 'dead':
      throw beingRemoved(id);
    default:
  }
}

/** @throws conflict unless the container runs and is not paused */
export function checkMayExec({ id, state }: ContainerRecord): void {
  if (state.phase === 'paused') throw isPaused(id);
  if (state.phase === 'restarting') {
    throw new GantryError(
      'conflict',
      'CONTAINER_RESTARTING',
      `Container ${id} is restarting, wait until the container is running`,
    );
  }
  if (state.phase !== 'running')
    throw new GantryError('conflict', 'CONTAINER_NOT_RUNNING', `container ${id} is not running`);
}

/** First delay after a failure, doubled each time. @source dockerd 28.5: restart times of a failing container */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** A run of this length resets the delay. */
const STEADY_RUN_MS = 10_000;

/** The wait before a restart, given the last wait and how long the container ran. */
export function nextDelayMs(lastDelayMs: number, ranMs: number): number {
  if (ranMs >= STEADY_RUN_MS || lastDelayMs === 0) return FIRST_DELAY_MS;
  return Math.min(lastDelayMs * 2, LONGEST_DELAY_MS);
}

/** True when the policy wants another run after an exit that nobody asked for. */
export function restartsAfterExit(policy: RestartPolicy | undefined, state: ContainerState): boolean {
  if (state.stoppedByHand) return false;
  switch (policy?.Name) {
    case 'always':
    case 'unless-stopped':
      return true;
    case 'on-failure': {
      const limit = policy.MaximumRetryCount ?? 0;
      return state.exitCode !== 0 && (limit === 0 || state.restartCount < limit);
    }
    default:
      return false;
  }
}

/** True when the policy wants a run at the daemon's start. @source dockerd 28.5: `always` even after a stop by hand */
export function restartsWithDaemon(policy: RestartPolicy | undefined, state: ContainerState): boolean {
  if (state.phase === 'created') return false;
  // The policy has decided, and counted, before the last daemon died: the run is owed.
  if (state.phase === 'restarting') return !state.stoppedByHand;
  switch (policy?.Name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !state.stoppedByHand;
    case 'on-failure':
      return !state.stoppedByHand && restartsAfterExit(policy, state);
    default:
      return false;
  }
}
