// runc and crun: finding them, their command lines, their failures.

export {
  createArgs,
  deleteArgs,
  execArgs,
  type LaunchPaths,
  pauseArgs,
  type RuntimeDriver,
  resumeArgs,
  runArgs,
  sessionArgs,
  stateArgs,
} from './driver.ts';
export { describeStartFailure, type StartAttempt, type StartFailure, startError } from './failure.ts';
export { runtimeLogMessage } from './log.ts';
export {
  type AddedProbe,
  type AddedRuntime,
  noSuchRuntime,
  type ProbeRequest,
  probeAdded,
  probeRuntimes,
  type Runtimes,
} from './probe.ts';
export { createSeccompCache, type SeccompCache } from './seccomp-cache.ts';
export { compileFilter, type TrialPlace } from './trial.ts';
