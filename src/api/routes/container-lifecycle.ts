// Owns the container routes that change a container's state, and the wait for its end. Knows no streams of its output.

import type { WaitCondition } from '../../engine/containers/types.ts';
import { type ErrorCode, GantryError } from '../../lib/errors.ts';
import { parseGoInt, type Query } from '../../spec/docker/decode-query.ts';
import type { ReplyOf } from '../../spec/docker/route-replies.ts';
import { parseSignal } from '../../spec/signals.ts';
import type { ApiContext } from '../context.ts';
import { prefixed, stopFailure } from '../errors.ts';
import { DONE, type Exchange, type Handlers, json, NO_CONTENT, type Reply } from '../exchange.ts';
import { waitHeadersFirst } from '../versions/streams.ts';

/** Routes that change the state of a container or wait for its end. */
export type LifecycleRoute =
  | 'containerStart'
  | 'containerStop'
  | 'containerRestart'
  | 'containerKill'
  | 'containerPause'
  | 'containerUnpause'
  | 'containerRename'
  | 'containerRemove'
  | 'containerWait';

export function lifecycleHandlers(context: ApiContext): Handlers<LifecycleRoute> {
  const { containers } = context.engine;
  return {
    containerStop: (x) => stop(context, x),
    containerRestart: (x) => restart(context, x),
    containerKill: (x) => kill(context, x),
    containerWait: (x) => waitFor(context, x),

    async containerStart(x) {
      if (x.query.get('checkpoint') !== '') {
        throw invalid('EXPERIMENTAL', 'checkpoint is only supported in experimental mode');
      }
      await containers.start(x.name);
      return NO_CONTENT;
    },

    async containerPause({ name }) {
      await containers.pause(name);
      return NO_CONTENT;
    },

    async containerUnpause({ name }) {
      await containers.unpause(name);
      return NO_CONTENT;
    },

    async containerRename({ name, query }) {
      const newName = query.get('name').replace(/^\//, '');
      if (newName === '') throw invalid('EMPTY_NAME', 'Neither old nor new names may be empty');
      await containers.rename(name, newName);
      return NO_CONTENT;
    },

    async containerRemove({ name, query }) {
      if (name === '') throw invalid('EMPTY_NAME', 'invalid name or ID supplied: ""');
      const options = { force: query.bool('force'), volumes: query.bool('v'), link: query.bool('link') };
      await containers.remove(name, options);
      return NO_CONTENT;
    },
  };
}

async function stop({ engine }: ApiContext, { name, query }: Exchange): Promise<Reply> {
  const options = stopOptions(query);
  try {
    await engine.containers.stop(name, options);
  } catch (error) {
    throw stopFailure(error, `cannot stop container: ${name}: `);
  }
  return NO_CONTENT;
}

async function restart({ engine }: ApiContext, { name, query }: Exchange): Promise<Reply> {
  const options = stopOptions(query);
  try {
    await engine.containers.restart(name, options);
  } catch (error) {
    throw stopFailure(error, `Cannot restart container ${name}: `);
  }
  return NO_CONTENT;
}

async function kill({ engine }: ApiContext, { name, query }: Exchange): Promise<Reply> {
  const signal = query.get('signal');
  try {
    // Before the container is looked for. @source dockerd 28.5
    if (signal !== '') parseSignal(signal);
    await engine.containers.kill(name, signal);
  } catch (error) {
    throw prefixed(error, `cannot kill container: ${name}: `);
  }
  return NO_CONTENT;
}

function stopOptions(query: Query): { timeoutSeconds: number | undefined; signal: string | undefined } {
  const seconds = query.get('t');
  const signal = query.get('signal');
  return {
    timeoutSeconds: seconds === '' ? undefined : parseGoInt(seconds),
    signal: signal === '' ? undefined : signal,
  };
}

const CONDITIONS: readonly WaitCondition[] = ['not-running', 'next-exit', 'removed'];

async function waitFor({ engine, writer }: ApiContext, x: Exchange): Promise<Reply<ReplyOf<'containerWait'>>> {
  const asked = x.query.get('condition');
  const condition = CONDITIONS.find((known) => known === (asked === '' ? 'not-running' : asked));
  if (condition === undefined) throw invalid('BAD_CONDITION', `invalid condition: ${JSON.stringify(asked)}`);
  const { response } = x;
  const ready = (): void => {
    if (!waitHeadersFirst(x.minor) || response.headersSent) return;
    writer.head(response, 200, 'application/json');
    response.flushHeaders();
  };
  const signal = x.watchHalfClose();
  const result = await engine.containers.wait(x.name, condition, ready, signal).catch((error: unknown) => {
    // After the headers only the body can report that the wait failed.
    if (!response.headersSent || signal.aborted) throw error;
    return { exitCode: -1, error: error instanceof Error ? error.message : String(error) };
  });
  const value = { StatusCode: result.exitCode, ...(result.error ? { Error: { Message: result.error } } : {}) };
  if (!response.headersSent) return json(value);
  response.end(`${JSON.stringify(value)}\n`);
  return DONE;
}

function invalid(code: ErrorCode, message: string): GantryError {
  return new GantryError('invalid', code, message);
}
