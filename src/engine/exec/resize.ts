// Owns giving the terminal of an exec another size.

import { GantryError } from '../../lib/errors.ts';
import { within } from '../../lib/within.ts';
import type { Entry } from './entries.ts';
import { checkMayExecAs, type ExecsDeps } from './process.ts';

/** A client that draws a terminal sends its size right behind the start. @source dockerd 28.5: ten seconds, and all texts */
const START_PATIENCE_MS = 10_000;

/** See Execs.resize. */
export async function resizeExec(deps: ExecsDeps, entry: Entry, rows: number, columns: number): Promise<void> {
  const { id, containerId } = entry.record;
  checkMayExecAs(deps.find(containerId), containerId);
  if (!(await within(entry.begun.promise, START_PATIENCE_MS))) {
    throw new GantryError('system', 'EXEC_NOT_STARTED', 'timeout waiting for exec session ready', { params: { id } });
  }
  const { run, record } = entry;
  if (!run || !record.running) {
    const message = `NotFound: process does not exist ${id}: not found`;
    throw new GantryError('notFound', 'EXEC_NOT_RUNNING', message, { params: { id } });
  }
  if (record.request.tty) await run.connection.resize(rows, columns);
}
