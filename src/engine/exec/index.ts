// The face of running further processes in containers. Each is a shim of its own; its record lives until the container stops.

import { GantryError } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import type { ContainerRecord } from '../containers/index.ts';
import { type Entry, ExecEntries } from './entries.ts';
import { actionText, checkMayExecAs, type ExecsDeps, publishExec, whileItRuns } from './process.ts';
import { resizeExec } from './resize.ts';
import { type RunLimits, type RunOutcome, runToEnd } from './run-to-end.ts';
import { startExec } from './start.ts';
import type { ExecRequest, Execs } from './types.ts';

export type { ExecLauncher } from './process.ts';
export type { ExecRequest } from './types.ts';

/** The exec capability with what the container capability needs of it. */
export interface ExecCapability {
  readonly face: Execs;
  /** Ids of the execs that run in a container. */
  readonly idsOf: (containerId: string) => readonly string[];
  /** Runs a command in a container to its end. @throws GantryError when it cannot be run */
  readonly run: (container: ContainerRecord, command: readonly string[], limits: RunLimits) => Promise<RunOutcome>;
  /** The container runs no more: execs that were not started never will be. */
  readonly onContainerStopped: (containerId: string) => void;
  readonly onContainerRemoved: (containerId: string) => void;
  /** Lets go of all that run, which go on. */
  readonly close: () => void;
}

export function createExecs(deps: ExecsDeps): ExecCapability {
  const entries = new ExecEntries();
  return {
    face: {
      create: async (ref, request) => (await create(deps, entries, ref, request)).record.id,
      start: (id, request, signal) => startExec(deps, entries.get(id), request, signal),
      inspect: (id) => entries.get(id).record,
      resize: (id, rows, columns) => resizeExec(deps, entries.get(id), rows, columns),
    },
    async run(container, command, limits) {
      const request = { ...PLAIN_REQUEST, command };
      const entry = await create(deps, entries, container.id, request);
      try {
        return await runToEnd({ deps, container, entry, request }, limits);
      } finally {
        entries.forget(entry);
      }
    },
    idsOf: (containerId) => entries.runningOf(containerId),
    onContainerStopped: (containerId) => entries.containerStopped(containerId),
    onContainerRemoved: (containerId) => entries.containerRemoved(containerId),
    close: () => entries.letGo(),
  };
}

const PLAIN_REQUEST: Omit<ExecRequest, 'command'> = {
  tty: false,
  stdin: false,
  stdout: true,
  stderr: true,
  env: [],
  user: '',
  workingDir: '',
  privileged: false,
  detachKeys: '',
};

/** See Execs.create. */
async function create(deps: ExecsDeps, entries: ExecEntries, ref: string, request: ExecRequest): Promise<Entry> {
  const container = deps.find(ref);
  checkMayExecAs(container, ref);
  if (request.command.length === 0) throw new GantryError('invalid', 'NO_EXEC_COMMAND', 'No exec command specified');
  await whileItRuns(container, async () => deps.launcher.check(container, request));
  const entry = entries.add({
    id: randomId(),
    containerId: container.id,
    request,
    running: false,
    exitCode: null,
    pid: 0,
  });
  publishExec({ deps, container, entry }, `exec_create: ${actionText(request)}`);
  return entry;
}
