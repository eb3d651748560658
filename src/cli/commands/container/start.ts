// Owns `start`.
import type { ContainerInspectResponse } from '../../../spec/docker/types.gen.ts';
import { failureText, joinFailures } from '../../explain.ts';
import { CommandFailure } from '../../failure.ts';
import { containerStart } from '../../grammar/container.table.ts';
import type { Flags } from '../../grammar/flags.ts';
import type { Command, Invocation, Session } from '../../session.ts';
import { followTerminalSize } from '../../terminal/resize.ts';
import { forwardSignals } from '../../terminal/signals.ts';
import { attachContainer, beginWait, detachKeysOf } from './attach-container.ts';

/** Starts containers; with --attach or --interactive just one, and its exit code counts. */
export const command: Command = {
  spec: containerStart,
  run: async (session, invocation) => {
    const { flags, args } = invocation;
    refuseCheckpoints(flags);
    if (!flags.bool('attach') && !flags.bool('interactive')) return startAll(session, args);
    if (args.length > 1) throw new CommandFailure(1, 'you cannot start and attach multiple containers at once');
    return startAttached(session, invocation, await session.client().containers.inspect(args[0] ?? ''));
  },
};

/** No daemon of ours has them. @throws CommandFailure (1) in Docker's words */
function refuseCheckpoints(flags: Flags): void {
  const given = ['checkpoint', 'checkpoint-dir'].filter((name) => flags.changed(name));
  if (given.length === 0) return;
  const lines = given.map(
    (name) => `"--${name}" is only supported on a Docker daemon with experimental features enabled`,
  );
  throw new CommandFailure(1, lines.join('\n'));
}

async function startAll(session: Session, names: readonly string[]): Promise<number> {
  const failed: [name: string, error: unknown][] = [];
  for (const name of names) {
    try {
      await session.client().containers.start(name);
      session.line(name);
    } catch (error) {
      session.warn(failureText(error));
      failed.push([name, error]);
    }
  }
  if (failed.length === 0) return 0;
  const list = failed.map(([name]) => name).join(', ');
  const { hint } = joinFailures(failed.map(([, error]) => error));
  throw new CommandFailure(1, `Error: failed to start containers: ${list}`, hint);
}

async function startAttached(
  session: Session,
  { flags }: Invocation,
  container: ContainerInspectResponse,
): Promise<number> {
  const { containers } = session.client();
  const id = container.Id ?? '';
  const tty = container.Config?.Tty ?? false;
  const removed = container.HostConfig?.AutoRemove ?? false;
  const send = (name: string) => containers.kill(id, name);
  using _signals = tty ? undefined : forwardSignals({ send, stderr: session.stdio.stderr });
  const carrying = await attachContainer(session, id, {
    stdin: flags.bool('interactive') && (container.Config?.OpenStdin ?? false),
    stdout: true,
    stderr: true,
    tty,
    detachKeys: detachKeysOf(session, flags.text('detach-keys')),
  });
  const wait = await beginWait(session.client(), id, removed);
  try {
    await containers.start(id);
  } catch (error) {
    carrying.stop();
    if (removed) await wait.exitCode;
    throw error;
  }
  using _resize = tty ? followTerminalSize(session.stdio.stdout, (size) => containers.resize(id, size)) : undefined;
  const end = await carrying.end;
  carrying.stop();
  return end === 'detached' ? 0 : wait.exitCode;
}
