// Owns `run`: create, attach, wait and start, in Docker's order, and the exit code of the container.
import type { ContainerCreateRequest } from '../../../spec/docker/types.gen.ts';
import { CommandFailure } from '../../failure.ts';
import { containerRun } from '../../grammar/run.table.ts';
import { CONTAINER_CHECKS } from '../../run-options/checks.ts';
import type { Command, Invocation, Session } from '../../session.ts';
import { followTerminalSize } from '../../terminal/resize.ts';
import { forwardSignals } from '../../terminal/signals.ts';
import type { Carrying } from '../../terminal/stream.ts';
import { type AttachPlan, attachContainer, beginWait, checkTerminal, detachKeysOf } from './attach-container.ts';
import { createContainer, readCreateBody, runFailure } from './create-container.ts';

/** Runs a container; the exit code is the container's. */
export const command: Command = {
  spec: containerRun,
  checks: CONTAINER_CHECKS,
  run: async (session, invocation) => {
    const body = applyDetach(session, invocation, readCreateBody(session, invocation));
    let id: string;
    try {
      id = await createContainer(session, invocation, body);
    } catch (error) {
      throw runFailure(error, invocation.path);
    }
    return body.AttachStdin || body.AttachStdout || body.AttachStderr
      ? runAttached(session, invocation, body, id)
      : runDetached(session, invocation, id);
  },
};

function applyDetach(session: Session, invocation: Invocation, body: ContainerCreateRequest): ContainerCreateRequest {
  const { flags } = invocation;
  if (!flags.bool('detach')) {
    checkTerminal(session, body.AttachStdin ?? false, body.Tty ?? false);
    return body;
  }
  if (flags.list('attach').length > 0) {
    throw new CommandFailure(1, 'conflicting options: cannot specify both --attach and --detach');
  }
  return { ...body, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false };
}

async function runDetached(session: Session, invocation: Invocation, id: string): Promise<number> {
  session.line(id);
  try {
    await session.client().containers.start(id);
  } catch (error) {
    throw runFailure(error, invocation.path);
  }
  return 0;
}

async function runAttached(
  session: Session,
  invocation: Invocation,
  body: ContainerCreateRequest,
  id: string,
): Promise<number> {
  const { flags } = invocation;
  const { containers } = session.client();
  using _signals = forwardSignals({
    send: flags.bool('sig-proxy') ? (name) => containers.kill(id, name) : undefined,
    stderr: session.stdio.stderr,
  });
  const plan: AttachPlan = {
    stdin: body.AttachStdin ?? false,
    stdout: body.AttachStdout ?? false,
    stderr: body.AttachStderr ?? false,
    tty: body.Tty ?? false,
    detachKeys: detachKeysOf(session, flags.text('detach-keys')),
  };
  const [carrying, wait] = await Promise.all([
    attachContainer(session, id, plan),
    beginWait(session.client(), id, flags.bool('rm')),
  ]);
  await startOrExplain(session, invocation, id, carrying, wait.exitCode);
  using _resize = plan.tty
    ? followTerminalSize(session.stdio.stdout, (size) => containers.resize(id, size))
    : undefined;
  const end = await carrying.end;
  carrying.stop();
  return end === 'detached' ? 0 : wait.exitCode;
}

async function startOrExplain(
  session: Session,
  invocation: Invocation,
  id: string,
  carrying: Carrying,
  removed: Promise<number>,
): Promise<void> {
  try {
    await session.client().containers.start(id);
  } catch (error) {
    carrying.stop();
    if (invocation.flags.bool('rm')) await removed;
    throw runFailure(error, invocation.path);
  }
}
