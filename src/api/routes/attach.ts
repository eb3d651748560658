// Owns the container routes that stream: attach in its forms, and logs. Moves bytes, reads none.

import type { AttachRequest, LogsRequest } from '../../engine/containers/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { parseDetachKeys } from '../../spec/docker/decode-detach-keys.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { parseUnixTimestamp } from '../../spec/time.ts';
import { writeAll } from '../byte-stream.ts';
import type { ApiContext } from '../context.ts';
import { DONE, type Exchange, type Handlers, type Reply } from '../exchange.ts';
import { hijackHead, refuseAttach } from '../hijack.ts';
import { splice } from '../splice.ts';
import { streamContentType } from '../versions/streams.ts';
import { acceptWebSocket } from '../websocket.ts';

export function attachHandlers(
  context: ApiContext,
): Handlers<'containerAttach' | 'containerAttachWebSocket' | 'containerLogs'> {
  const { containers } = context.engine;
  return {
    async containerAttach(x) {
      const { query, signal } = x;
      let attached: Awaited<ReturnType<typeof containers.attach>>;
      const request = { ...attachFlags(query), logs: query.bool('logs'), stream: query.bool('stream') };
      try {
        const detachKeys = attachDetachKeys(query);
        attached = await containers.attach(x.name, { ...request, detachKeys }, signal);
      } catch (error) {
        refuseAttach(x.take(), error);
        return DONE;
      }
      const connection = x.take();
      connection.write(hijackHead(x.takeover.upgraded, streamContentType(x.minor, attached.tty)));
      splice(connection, attached.stream, { stdin: request.stdin });
      return DONE;
    },

    async containerAttachWebSocket(x) {
      const { query, signal } = x;
      const detachKeys = attachDetachKeys(query);
      // A WebSocket client that chooses no stream gets them all.
      const flags = attachFlags(query);
      const none = !flags.stdin && !flags.stdout && !flags.stderr;
      const streams = none ? { stdin: true, stdout: true, stderr: true } : flags;
      const request = { ...streams, logs: query.bool('logs'), stream: query.bool('stream'), detachKeys };
      containers.view(x.name);
      return acceptWebSocket(x, () => containers.attach(x.name, request, signal), streams.stdin);
    },

    containerLogs: (x) => sendLogs(context, x),
  };
}

function attachFlags(query: Query): Pick<AttachRequest, 'stdin' | 'stdout' | 'stderr'> {
  return { stdin: query.bool('stdin'), stdout: query.bool('stdout'), stderr: query.bool('stderr') };
}

function attachDetachKeys(query: Query): Uint8Array | undefined {
  const text = query.get('detachKeys');
  if (text === '') return undefined;
  const keys = parseDetachKeys(text);
  if (keys === undefined) throw new GantryError('invalid', 'BAD_DETACH_KEYS', `Invalid detach keys (${text}) provided`);
  return keys;
}

async function sendLogs({ engine, writer }: ApiContext, x: Exchange): Promise<Reply> {
  const { query, response } = x;
  const stdout = query.bool('stdout');
  const stderr = query.bool('stderr');
  if (!stdout && !stderr) {
    throw new GantryError('invalid', 'NO_STREAM', 'Bad parameters: you must choose at least one stream');
  }
  engine.containers.view(x.name);
  const request: LogsRequest = {
    stdout,
    stderr,
    follow: query.bool('follow'),
    timestamps: query.bool('timestamps'),
    details: query.bool('details'),
    since: moment(query.get('since')),
    until: moment(query.get('until')),
    tail: tailLines(query.get('tail')),
  };
  const { tty, chunks } = await engine.containers.logs(x.name, request, x.watchHalfClose());
  writer.head(response, 200, streamContentType(x.minor, tty));
  if (request.follow) response.flushHeaders();
  await writeAll(response, chunks);
  response.end();
  return DONE;
}

/** Zero means no bound, as the client sends it. */
function moment(text: string): bigint | undefined {
  const nanos = parseUnixTimestamp(text);
  return nanos === 0n ? undefined : nanos;
}

/** Anything but a number from 0 up means all. */
function tailLines(text: string): number | undefined {
  return /^\+?\d+$/.test(text) ? Number(text) : undefined;
}
