// Owns `logs`.

import { messageOf } from '../../../lib/errors.ts';
import { createFrameDecoder } from '../../../spec/stream/frames.ts';
import { CommandFailure } from '../../failure.ts';
import { containerLogs } from '../../grammar/container.table.ts';
import { TIME_FORM } from '../../hints.table.ts';
import type { Command, Session } from '../../session.ts';
import { write } from '../../terminal/stream.ts';
import { apiTime } from '../../timestamps.ts';

/** Prints the logs of a container: its stdout on stdout, its stderr on stderr. */
export const command: Command = {
  spec: containerLogs,
  run: async (session, { flags, args }) => {
    const container = await session.client().containers.inspect(args[0] ?? '');
    const stream = await session.client().containers.logs(container.Id ?? '', {
      stdout: true,
      stderr: true,
      follow: flags.bool('follow'),
      details: flags.bool('details'),
      timestamps: flags.bool('timestamps'),
      tail: flags.text('tail') === 'all' ? 'all' : flags.text('tail'),
      since: readTime(session, 'since', flags.text('since')),
      until: readTime(session, 'until', flags.text('until')),
    });
    await copyLogs(session, stream, container.Config?.Tty ?? false);
    return 0;
  },
};

function readTime(session: Session, flag: string, text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return apiTime(text, session.now());
  } catch (error) {
    throw new CommandFailure(1, `invalid value for "${flag}": ${messageOf(error)}`, TIME_FORM);
  }
}

async function copyLogs(session: Session, stream: AsyncIterable<Buffer>, tty: boolean): Promise<void> {
  const { stdout, stderr } = session.stdio;
  const decoder = createFrameDecoder();
  for await (const chunk of stream) {
    if (tty) {
      await write(stdout, chunk);
      continue;
    }
    for (const piece of decoder.push(chunk)) {
      if (piece.stream === 'systemError') throw new CommandFailure(1, Buffer.from(piece.payload).toString());
      await write(piece.stream === 'stderr' ? stderr : stdout, piece.payload);
    }
  }
}
