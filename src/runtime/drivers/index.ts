// runc and crun: finding them, their command lines, their failures.

export {
  deleteArgs,
  execArgs,
  pauseArgs,
  type RuntimeDriver,
  resumeArgs,
  runArgs,
  sessionArgs,
} from './driver.ts';
export { describeStartFailure, type StartAttempt, startError } from './failure.ts';

export {
  type AddedProbe,
  type AddedRuntime,
  noSuchRuntime,
  probeAdded,
  probeRuntimes,
  type Runtimes,
} from './probe.ts';
export { createSeccompCache, type SeccompCache } from './seccomp-cache.ts';
export { compileFilter } from './trial.ts';
