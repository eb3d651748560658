// Owns bringing the layers of one image: side by side, downloaded and unpacked as one stream, reported as Docker does.

import { shortId } from '../../../lib/ids.ts';
import { downloadBlob, type RegistryClient, type Repository } from '../../../remote/index.ts';
import { type Digest, hexOf } from '../../../spec/digest.ts';
import type { Descriptor } from '../../../spec/oci/manifest.ts';
import type { ImageContext } from '../context.ts';
import { countedProgress } from '../progress.ts';
import type { ReportProgress } from '../types.ts';
import type { PullControl } from './pull.ts';

/** Resolves when all are there; those in `whole` are already. The first failure stops the others and is thrown when they have stopped. */
export async function pullLayers(
  context: ImageContext,
  client: RegistryClient,
  repository: Repository,
  blobs: readonly Descriptor[],
  diffIds: readonly Digest[],
  whole: ReadonlySet<Digest>,
  control: PullControl,
): Promise<void> {
  const { report, slots } = control;
  const stop = new AbortController();
  const signal = AbortSignal.any([control.signal, stop.signal]);
  const jobs = blobs.map((blob, i) => ({ blob, diffId: diffIds[i] as Digest, id: shortId(hexOf(blob.digest)) }));
  for (const { id, diffId } of jobs) phase(report, id, whole.has(diffId) ? 'Already exists' : 'Pulling fs layer');
  let failure: { readonly error: unknown } | undefined;
  const work = jobs
    .filter(({ diffId }) => !whole.has(diffId))
    .map(async ({ blob, diffId, id }) => {
      if (slots.busy) phase(report, id, 'Waiting');
      const bring = (): Promise<void> =>
        pullLayer(context, client, { ...repository, signal }, blob, diffId, { id, control });
      try {
        await slots.run(bring, signal);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    });
  await Promise.all(work);
  if (failure) throw failure.error;
}

/** A line that carries no numbers. */
function phase(report: ReportProgress, id: string, status: string): void {
  report({ id, status, phase: true });
}

async function pullLayer(
  context: ImageContext,
  client: RegistryClient,
  repository: Repository,
  blob: Descriptor,
  diffId: Digest,
  { id, control: { report, retryPauseMs } }: { readonly id: string; readonly control: PullControl },
): Promise<void> {
  let opened = false;
  let downloaded = false;
  const extracting = countedProgress(report, id, 'Extracting', blob.size);
  const received = countedProgress(report, id, 'Downloading', blob.size);
  const hooks = {
    received,
    retrying: (seconds: number): void =>
      report({ id, status: `Retrying in ${seconds} second${seconds === 1 ? '' : 's'}` }),
    pauseMs: retryPauseMs,
  };
  const open = async function* (): AsyncGenerator<Buffer, void, void> {
    opened = true;
    yield* downloadBlob(client, repository, blob, hooks);
    phase(report, id, 'Verifying Checksum');
    phase(report, id, 'Download complete');
    downloaded = true;
    extracting(0);
  };
  // While bytes still come, only the download is reported: unpacking keeps up with it.
  const consumed = (bytes: number): void => {
    if (downloaded) extracting(bytes);
  };
  await context.layers.unpack({ open, blob: blob.digest, diffId, consumed }, repository.signal);
  if (opened) {
    extracting(blob.size);
    phase(report, id, 'Pull complete');
  } else phase(report, id, 'Already exists');
}
