// Owns the container calls of the Engine API whose answers last: wait, attach, logs, statistics. One method an endpoint.
import type { Readable } from 'node:stream';
import type { ContainerStatsResponse, ContainerWaitResponse } from '../spec/docker/types.gen.ts';
import { jsonLines } from './json-lines.ts';
import type { Hijacked, Transport } from './transport.ts';

/** Which streams to take over; times are Docker's (`seconds[.nanos]`). */
export interface ContainerAttachOptions {
  readonly stream?: boolean | undefined;
  readonly stdin?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  readonly logs?: boolean | undefined;
  readonly detachKeys?: string | undefined;
}

/** Which log lines; `since` and `until` are `seconds[.nanos]`, `tail` a count or `all`. */
export interface ContainerLogsOptions {
  readonly follow?: boolean | undefined;
  readonly stdout?: boolean | undefined;
  readonly stderr?: boolean | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly timestamps?: boolean | undefined;
  readonly details?: boolean | undefined;
  readonly tail?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `wait` waits for. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** A wait that the daemon has begun. */
interface Waiting {
  readonly exit: Promise<ContainerWaitResponse>;
}

/** The calls whose answers last. */
export function streamCalls(transport: Transport) {
  return {
    /**
     * Resolves when the daemon has begun to wait (its headers came); `exit` then settles with the answer.
     * Starting the container between the two loses no exit.
     */
    wait: (id: string, condition?: WaitCondition, signal?: AbortSignal): Promise<Waiting> =>
      startWait(transport, id, condition, signal),
    attach: (id: string, options: ContainerAttachOptions, signal?: AbortSignal): Promise<Hijacked> =>
      transport.hijack({
        route: 'containerAttach',
        name: id,
        query: {
          detachKeys: options.detachKeys || undefined,
          logs: options.logs || undefined,
          stderr: options.stderr || undefined,
          stdin: options.stdin || undefined,
          stdout: options.stdout || undefined,
          stream: options.stream || undefined,
        },
        signal,
      }),
    /** The log stream: raw with a terminal, framed without. */
    logs: (id: string, options: ContainerLogsOptions): Promise<Readable> =>
      transport.stream({
        route: 'containerLogs',
        name: id,
        query: {
          details: options.details || undefined,
          follow: options.follow || undefined,
          since: options.since || undefined,
          stderr: options.stderr || undefined,
          stdout: options.stdout || undefined,
          tail: options.tail || undefined,
          timestamps: options.timestamps || undefined,
          until: options.until || undefined,
        },
        signal: options.signal,
      }),
    stats: async function* (
      id: string,
      options: { readonly stream: boolean; readonly signal?: AbortSignal },
    ): AsyncGenerator<ContainerStatsResponse> {
      const { body } = await transport.open({
        route: 'containerStats',
        name: id,
        query: { stream: options.stream },
        signal: options.signal,
      });
      yield* jsonLines<ContainerStatsResponse>(body);
    },
  };
}

async function startWait(
  transport: Transport,
  id: string,
  condition: WaitCondition | undefined,
  signal: AbortSignal | undefined,
): Promise<Waiting> {
  const { body } = await transport.open({ route: 'containerWait', name: id, query: { condition }, signal });
  const exit = firstValue<ContainerWaitResponse>(body);
  exit.catch(() => {});
  return { exit };
}

async function firstValue<T>(stream: AsyncIterable<Uint8Array>): Promise<T> {
  for await (const value of jsonLines<T>(stream)) return value;
  throw new Error('the daemon ended the wait without an answer');
}
