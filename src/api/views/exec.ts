// Owns an exec as Docker shows it. Pure.

import type { ExecRecord } from '../../engine/exec/types.ts';
import { parseDetachKeys } from '../../spec/docker/decode-detach-keys.ts';
import type { ExecInspectResponse } from '../../spec/docker/types.gen.ts';

/** GET /exec/{id}/json. @source dockerd 28.5.2 */
export function execView(exec: ExecRecord): ExecInspectResponse {
  const { request } = exec;
  const [entrypoint = '', ...args] = request.command;
  const keys = request.detachKeys === '' ? undefined : parseDetachKeys(request.detachKeys);
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode,
    ProcessConfig: {
      tty: request.tty,
      entrypoint,
      arguments: args,
      privileged: request.privileged,
      ...(request.user === '' ? {} : { user: request.user }),
    },
    OpenStdin: request.stdin,
    OpenStderr: request.stderr,
    OpenStdout: request.stdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: keys === undefined ? '' : Buffer.from(keys).toString('base64'),
    Pid: exec.pid,
  };
}
