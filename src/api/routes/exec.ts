// Owns the exec routes. Moves bytes, reads none.

import { GantryError } from '../../lib/errors.ts';
import { parseDetachKeys } from '../../spec/docker/decode-detach-keys.ts';
import type { ExecCreateRequest, ExecStartRequest } from '../../spec/docker/types.gen.ts';
import type { ApiContext } from '../context.ts';
import { DONE, EMPTY_OK, type Exchange, type Handlers, json } from '../exchange.ts';
import { hijackHead, streamedFailure } from '../hijack.ts';
import { reframing } from '../reframe.ts';
import { splice } from '../splice.ts';
import { streamContentType } from '../versions/streams.ts';
import { execView } from '../views/exec.ts';
import { terminalSize } from './terminal-size.ts';

export function execHandlers(context: ApiContext): Handlers<'execCreate' | 'execStart' | 'execInspect' | 'execResize'> {
  const { containers, execs } = context.engine;
  return {
    async execCreate(x) {
      const body: ExecCreateRequest = (await x.body('ExecCreateRequest')) ?? {};
      const command = body.Cmd ?? [];
      if (command.length === 0) throw new GantryError('invalid', 'NO_EXEC_COMMAND', 'No exec command specified');
      const detachKeys = body.DetachKeys ?? '';
      if (detachKeys !== '' && parseDetachKeys(detachKeys) === undefined) {
        containers.view(x.name);
        throw new GantryError('system', 'BAD_DETACH_KEYS', `Invalid escape keys (${detachKeys}) provided`);
      }
      const id = await execs.create(x.name, {
        command,
        tty: body.Tty ?? false,
        stdin: body.AttachStdin ?? false,
        stdout: body.AttachStdout ?? false,
        stderr: body.AttachStderr ?? false,
        env: body.Env ?? [],
        user: body.User ?? '',
        workingDir: body.WorkingDir ?? '',
        privileged: body.Privileged ?? false,
        detachKeys,
        consoleSize: consoleSize(body.ConsoleSize),
      });
      return json({ Id: id }, 201);
    },

    async execStart(x) {
      const body: ExecStartRequest = (await x.body('ExecStartRequest')) ?? {};
      const request = {
        detach: body.Detach ?? false,
        tty: body.Tty ?? false,
        consoleSize: consoleSize(body.ConsoleSize),
      };
      if (request.detach) {
        await execs.start(x.name, request, x.signal);
        return EMPTY_OK;
      }
      await startAttached(context, x, request);
      return DONE;
    },

    execInspect: ({ name }) => json(execView(execs.inspect(name))),

    async execResize({ name, query }) {
      await execs.resize(name, ...terminalSize(query));
      return EMPTY_OK;
    },
  };
}

type StartRequest = Parameters<ApiContext['engine']['execs']['start']>[1];

async function startAttached({ engine, writer }: ApiContext, x: Exchange, request: StartRequest): Promise<void> {
  const { execs } = engine;
  const head = hijackHead(x.takeover.upgraded, streamContentType(x.minor, request.tty), writer.hijackHeaders);
  const { stdin } = execs.inspect(x.name).request;
  let attached: Awaited<ReturnType<typeof execs.start>>;
  try {
    attached = await execs.start(x.name, request, x.signal);
  } catch (error) {
    if (!belongsInStream(error)) throw error;
    const connection = x.take();
    connection.on('error', () => undefined);
    connection.write(head);
    connection.resume();
    connection.end(streamedFailure(error, request.tty), () => connection.destroy());
    return;
  }
  const connection = x.take();
  connection.write(head);
  if (!attached) return void connection.end();
  splice(connection, attached.stream, { stdin, through: reframing(attached, request) });
}

/** Docker finds out that an exec has run already only after it has left HTTP; an absent one it refuses with a status. */
function belongsInStream(error: unknown): boolean {
  return error instanceof GantryError && error.code === 'EXEC_ALREADY_RUN';
}

function consoleSize(size: readonly number[] | null | undefined): readonly [number, number] | undefined {
  const [rows, columns] = size ?? [];
  return rows === undefined || columns === undefined ? undefined : [rows, columns];
}
