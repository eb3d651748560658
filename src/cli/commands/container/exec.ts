// Owns `exec`.
import { messageOf } from '../../../lib/errors.ts';
import type { ExecCreateRequest } from '../../../spec/docker/types.gen.ts';
import { CommandFailure } from '../../failure.ts';
import { containerExec } from '../../grammar/container.table.ts';
import { checkEnv, envList } from '../../run-options/environment.ts';
import type { Command, Invocation, Session } from '../../session.ts';
import { followTerminalSize, terminalSize } from '../../terminal/resize.ts';
import { carryStreams } from '../../terminal/stream.ts';
import { checkTerminal, detachKeysOf } from './attach-container.ts';

/** Runs a command in a running container; the exit code is the command's. */
export const command: Command = {
  spec: containerExec,
  checks: { env: checkEnv },
  run: async (session, invocation) => {
    const { flags, args } = invocation;
    const id = args[0] ?? '';
    const body = execBody(session, invocation);
    const { containers, exec } = session.client();
    await containers.inspect(id);
    if (!flags.bool('detach')) checkTerminal(session, body.AttachStdin ?? false, body.Tty ?? false);
    const execId = (await exec.create(id, body)).Id;
    if (flags.bool('detach')) {
      await exec.startDetached(execId, { Tty: body.Tty });
      return 0;
    }
    return runAttached(session, execId, body);
  },
};

function execBody(session: Session, { flags, args }: Invocation): ExecCreateRequest {
  const attached = !flags.bool('detach');
  const size = flags.bool('tty') ? terminalSize(session.stdio.stdout) : undefined;
  return {
    User: flags.text('user'),
    Privileged: flags.bool('privileged'),
    Tty: flags.bool('tty'),
    ...(size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] }),
    AttachStdin: attached && flags.bool('interactive'),
    AttachStderr: attached,
    AttachStdout: attached,
    DetachKeys: detachKeysOf(session, flags.text('detach-keys')),
    Env: readEnv(session, flags.list('env-file'), flags.list('env')),
    WorkingDir: flags.text('workdir'),
    Cmd: args.slice(1),
  };
}

function readEnv(session: Session, files: readonly string[], texts: readonly string[]): string[] | undefined {
  try {
    const list = envList(files, texts, session.env);
    return list.length === 0 ? undefined : list;
  } catch (error) {
    throw new CommandFailure(1, messageOf(error));
  }
}

async function runAttached(session: Session, execId: string, body: ExecCreateRequest): Promise<number> {
  const { exec } = session.client();
  const tty = body.Tty ?? false;
  const hijacked = await exec.startAttached(execId, { Tty: tty, ConsoleSize: body.ConsoleSize });
  const carrying = carryStreams(hijacked, session.stdio, {
    stdin: body.AttachStdin ?? false,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: body.DetachKeys ?? '',
  });
  using _resize = tty ? followTerminalSize(session.stdio.stdout, (size) => exec.resize(execId, size)) : undefined;
  const end = await carrying.end;
  carrying.stop();
  if (end === 'detached') throw new CommandFailure(1, 'read escape sequence');
  return (await exec.inspect(execId)).ExitCode ?? 0;
}
