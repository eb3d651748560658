// Owns what run, start and attach share: taking over a container's streams, and its exit code.
import type { Client } from '../../../client/index.ts';
import { CommandFailure } from '../../failure.ts';
import type { Session } from '../../session.ts';
import { type Carrying, carryStreams } from '../../terminal/stream.ts';

/** Which streams to take, and whether the container has a terminal. */
export interface AttachPlan {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  readonly detachKeys: string;
}

/** The detach keys in force: the flag, else config.json, else the default (empty). */
export function detachKeysOf(session: Session, flag: string): string {
  return flag || session.config().format('detachKeys');
}

/** Attaches to container `id` and starts carrying. */
export async function attachContainer(session: Session, id: string, plan: AttachPlan): Promise<Carrying> {
  const hijacked = await session.client().containers.attach(id, {
    stream: true,
    stdin: plan.stdin,
    stdout: plan.stdout,
    stderr: plan.stderr,
    detachKeys: plan.detachKeys,
  });
  return carryStreams(hijacked, session.stdio, plan);
}

/** A wait that the daemon has begun. */
export interface StartedWait {
  /** The container's exit code; 125 when the daemon lost the wait. */
  readonly exitCode: Promise<number>;
}

/** Begins to wait for the exit (or, of a container with --rm, for the removal). */
export async function beginWait(client: Client, id: string, removed: boolean): Promise<StartedWait> {
  const { exit } = await client.containers.wait(id, removed ? 'removed' : 'next-exit');
  const exitCode = exit.then(
    (answer) => (answer.Error?.Message ? 125 : (answer.StatusCode ?? 0)),
    () => 125,
  );
  return { exitCode };
}

/** @throws CommandFailure (1) when input is wanted from a container's terminal but stdin is none */
export function checkTerminal(session: Session, stdin: boolean, tty: boolean): void {
  if (stdin && tty && session.stdio.stdin.isTTY !== true) {
    throw new CommandFailure(1, 'the input device is not a TTY', 'leave out -t where the input is a file or a pipe');
  }
}
