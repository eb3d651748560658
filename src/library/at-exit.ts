// Owns what happens to a program's containers when the program ends before it has let go of them: after a throw, say.

const pids = new Set<() => number>();

/**
 * Kills the process that `pidOf` names (0 = none) when this process exits before the hold is disposed. What is left of its container
 * is removed by the next who opens the engine's roots, for the container removes itself.
 */
export function killAtExit(pidOf: () => number): Disposable {
  if (pids.size === 0) process.on('exit', killAll);
  pids.add(pidOf);
  return {
    [Symbol.dispose]() {
      pids.delete(pidOf);
      if (pids.size === 0) process.off('exit', killAll);
    },
  };
}

function killAll(): void {
  for (const pidOf of pids) {
    try {
      const pid = pidOf();
      if (pid > 0) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, and its record with it.
    }
  }
}
