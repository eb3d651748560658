// Owns downloading one layer to its end: a line that drops or stalls is taken up again where it broke.

import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled } from '../lib/abort.ts';
import { GantryError } from '../lib/errors.ts';
import type { Descriptor } from '../spec/oci/manifest.ts';
import type { RegistryClient, Repository } from './client.ts';
import { RegistryError } from './errors.ts';

/** A try that brought less than this counts as failed, so that nobody can make us try for ever. */
const PROGRESS_BYTES = 1 << 20;

export interface DownloadHooks {
  /** Bytes so far. */
  readonly received: (bytes: number) => void;
  /** Called each second while waiting for another try. */
  readonly retrying: (seconds: number) => void;
  /** First pause between tries; it grows by itself with each. */
  readonly pauseMs: number;
}

/**
 * The blob's bytes, exactly as many as the descriptor says. Digests are the reader's to check.
 * @throws RegistryError when five tries in a row brought nothing, or the registry sends more than it said
 */
export async function* downloadBlob(
  client: RegistryClient,
  repository: Repository,
  blob: Descriptor,
  hooks: DownloadHooks,
): AsyncGenerator<Buffer, void, void> {
  let offset = 0;
  let failures = 0;
  while (offset < blob.size || (blob.size === 0 && failures === 0)) {
    const before = offset;
    try {
      const answer = await open(client, repository, blob, offset);
      for await (const piece of bodyFrom(answer, blob, offset)) {
        offset += piece.length;
        if (offset > blob.size) throw otherThanSaid(blob);
        hooks.received(offset);
        yield piece;
      }
      if (offset === blob.size) return;
      throw tooShort(blob, offset, endsByItself(answer));
    } catch (error) {
      if (repository.signal.aborted) throw cancelled();
      if (!(error instanceof RegistryError) || !error.transient) throw error;
      failures = offset - before >= PROGRESS_BYTES ? 1 : failures + 1;
      if (failures >= client.downloadAttempts) throw error;
      await pause(hooks, failures, repository.signal);
    }
  }
}

/** @source dockerd 28.5: what a layer is called that is not what its digest says */
function otherThanSaid(blob: Descriptor): RegistryError {
  return new RegistryError(`filesystem layer verification failed for digest ${blob.digest}`);
}

/** Trying again brings the same where the registry has sent all that it has. */
function tooShort(blob: Descriptor, bytes: number, isAll: boolean): RegistryError {
  if (isAll) return otherThanSaid(blob);
  const message = `layer ${blob.digest}: unexpected EOF after ${bytes} of ${blob.size} bytes`;
  return new RegistryError(message, { transient: true });
}

/** True for an answer that says where it ends: when it was read without an error, it was read whole. */
function endsByItself({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

async function open(
  client: RegistryClient,
  repository: Repository,
  blob: Descriptor,
  offset: number,
): Promise<IncomingMessage> {
  const answer = await client.openBlob(repository, blob.digest, offset);
  if (answer.statusCode === 206 && !String(answer.headers['content-range']).startsWith(`bytes ${offset}-`)) {
    answer.destroy();
    throw new RegistryError(`layer ${blob.digest}: the registry answered with another range than asked for`);
  }
  return answer;
}

async function* bodyFrom(
  answer: IncomingMessage,
  blob: Descriptor,
  offset: number,
): AsyncGenerator<Buffer, void, void> {
  // A registry without ranges sends all of it again: what we have is passed over.
  let skip = answer.statusCode === 206 ? 0 : offset;
  try {
    for await (const part of answer) {
      const piece = part as Buffer;
      const passed = Math.min(skip, piece.length);
      skip -= passed;
      if (passed < piece.length) yield piece.subarray(passed);
    }
  } catch (error) {
    if (error instanceof RegistryError || error instanceof GantryError) throw error;
    throw new RegistryError(`layer ${blob.digest}: unexpected EOF`, { transient: true, cause: error });
  } finally {
    answer.destroy();
  }
}

async function pause({ pauseMs, retrying }: DownloadHooks, failures: number, signal: AbortSignal): Promise<void> {
  const until = performance.now() + pauseMs * failures;
  for (let left = pauseMs * failures; left > 0; left = until - performance.now()) {
    retrying(Math.ceil(left / 1000));
    try {
      await sleep(Math.min(left, 1000), undefined, { signal });
    } catch {
      throw cancelled();
    }
  }
}
