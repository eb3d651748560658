// Owns `attach`.
import type { ContainerInspectResponse } from '../../../spec/docker/types.gen.ts';
import { CommandFailure } from '../../failure.ts';
import { containerAttach } from '../../grammar/container.table.ts';
import type { Command, Session } from '../../session.ts';
import { followTerminalSize, terminalSize } from '../../terminal/resize.ts';
import { forwardSignals } from '../../terminal/signals.ts';
import { attachContainer, checkTerminal, detachKeysOf } from './attach-container.ts';

/** Attaches this terminal to a running container; the exit code is the container's. */
export const command: Command = {
  spec: containerAttach,
  run: async (session, { flags, args }) => {
    const id = args[0] ?? '';
    const { containers } = session.client();
    const wait = await containers.wait(id);
    const container = await inspectRunning(session, id);
    const tty = container.Config?.Tty ?? false;
    const stdin = !flags.bool('no-stdin') && (container.Config?.OpenStdin ?? false);
    checkTerminal(session, !flags.bool('no-stdin'), tty);
    const send = flags.bool('sig-proxy') ? (name: string) => containers.kill(id, name) : undefined;
    using _signals = tty ? undefined : forwardSignals({ send, stderr: session.stdio.stderr });
    const detachKeys = detachKeysOf(session, flags.text('detach-keys'));
    const carrying = await attachContainer(session, id, { stdin, stdout: true, stderr: true, tty, detachKeys });
    // It may have stopped meanwhile; then nothing would ever come.
    await inspectRunning(session, id);
    if (tty) await nudgeSize(session, id);
    using _resize = tty ? followTerminalSize(session.stdio.stdout, (size) => containers.resize(id, size)) : undefined;
    const end = await carrying.end;
    carrying.stop();
    if (end === 'detached') throw new CommandFailure(1, 'read escape sequence');
    const answer = await wait.exit;
    if (answer.Error?.Message) throw new CommandFailure(1, answer.Error.Message);
    return answer.StatusCode ?? 0;
  },
};

async function inspectRunning(session: Session, id: string): Promise<ContainerInspectResponse> {
  const container = await session.client().containers.inspect(id);
  const refuse = (what: string): never => {
    throw new CommandFailure(1, `You cannot attach to a ${what}`);
  };
  if (!container.State?.Running) refuse('stopped container, start it first');
  if (container.State?.Paused) refuse('paused container, unpause it first');
  if (container.State?.Restarting) refuse('restarting container, wait until it is running');
  return container;
}

/** A size one too large, so that the right one that follows makes a shell print its prompt again. */
async function nudgeSize(session: Session, id: string): Promise<void> {
  const size = terminalSize(session.stdio.stdout);
  if (size === undefined) return;
  await session
    .client()
    .containers.resize(id, { rows: size.rows + 1, columns: size.columns + 1 })
    .catch(() => {});
}
