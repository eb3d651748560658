// Owns running a command in a container to its end, within a time, with the head of its output. For health checks.

import { within } from '../../lib/within.ts';
import { attachShim } from '../../runtime/link/index.ts';
import type { Run } from '../containers/index.ts';
import { OutputHead } from './output-head.ts';
import { type ExecProcess, LOST_EXIT_CODE, launch, prepare } from './process.ts';

/** How long a command may take, and how much of its output is kept (the first bytes). */
export interface RunLimits {
  readonly timeoutMs: number;
  readonly mostBytes: number;
}

export interface RunOutcome {
  /** undefined when the command took longer than its limit and was killed. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** A shim that lives answers a signal within milliseconds. */
const SIGNAL_LIMIT_MS = 2000;
/** From SIGKILL to the end of the process, its output drained. */
const KILLED_MS = 5000;
const SIGKILL = 9;

/** @throws GantryError when the command cannot be run */
export async function runToEnd(process: ExecProcess, { timeoutMs, mostBytes }: RunLimits): Promise<RunOutcome> {
  const { entry, request } = process;
  const startedMs = performance.now();
  entry.started = true;
  const run = await prepare(process);
  let output: OutputHead | undefined;
  try {
    const join = async (): Promise<void> => {
      output = new OutputHead(await attachShim(run.dir, request), mostBytes);
    };
    await launch(process, run, { join });
    const inTime = await within(entry.settled, Math.max(1, timeoutMs - (performance.now() - startedMs)));
    if (!inTime) await killProcess(process, run);
    await output?.complete();
    return { exitCode: inTime ? (entry.record.exitCode ?? LOST_EXIT_CODE) : undefined, output: output?.text() ?? '' };
  } finally {
    output?.[Symbol.dispose]();
  }
}

/** Ends the process, past its shim when that keeps silent. Resolves when the outcome is settled. */
async function killProcess({ deps, container, entry }: ExecProcess, run: Run): Promise<void> {
  await run.connection.signal(SIGKILL, SIGNAL_LIMIT_MS).catch(() => undefined);
  if (await within(entry.settled, KILLED_MS)) return;
  await deps.launcher.kill(container, entry.record.pid);
  await run.end(0);
  await entry.settled;
}
