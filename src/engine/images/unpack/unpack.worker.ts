// Owns the worker thread that unpacks, checks and removes layers, and reads large documents. Holds no state beyond its running jobs.

import { parentPort } from 'node:worker_threads';
import { CLONE_FS, libc } from '../../../host/libc.ts';
import { removeTreeSync } from '../../../host/remove-tree.ts';
import { sentError } from '../../../lib/thread-error.ts';
import { parseArchiveManifest } from '../../../spec/oci/archive-manifest.ts';
import { parseImageConfig } from '../../../spec/oci/image-config.ts';
import { parseManifest } from '../../../spec/oci/manifest.ts';
import { damageOf } from './check.ts';
import type { DocumentRequest, DocumentTypes, FromWorker, ToWorker } from './messages.ts';
import { LayerPipeline } from './pipeline.ts';

if (!parentPort) throw new Error('unpack.worker.ts runs as a worker thread only');
const port = parentPort;
// A umask of this thread alone: files are then made with their final mode.
const exactModes = libc.unshare(CLONE_FS) === 0;
if (exactModes) libc.umask(0);

const jobs = new Map<number, LayerPipeline>();

function post(message: FromWorker): void {
  port.postMessage(message);
}

port.on('message', (message: ToWorker) => {
  const { job } = message;
  try {
    if (message.kind === 'unpack') start(message);
    else if (message.kind === 'check') check(message);
    else if (message.kind === 'read') post({ kind: 'done', job, result: readDocument(message.request) });
    else if (message.kind === 'remove') {
      for (const path of message.paths) removeTreeSync(path);
      post({ kind: 'done', job, result: undefined });
    } else if (message.kind === 'chunk') {
      const { buffer, byteOffset, byteLength } = message.bytes;
      jobs.get(job)?.write(Buffer.from(buffer, byteOffset, byteLength), buffer);
    } else if (message.kind === 'end') jobs.get(job)?.end();
    else jobs.get(job)?.abort();
  } catch (error) {
    post({ kind: 'failed', job, error: sentError(error) });
  }
});

function start({ job, target, expectedHex, plainHex }: Extract<ToWorker, { kind: 'unpack' }>): void {
  const consumed = (bytes: number, memory?: ArrayBuffer): void => {
    if (memory) port.postMessage({ kind: 'consumed', job, bytes, spare: memory } satisfies FromWorker, [memory]);
    else post({ kind: 'consumed', job, bytes });
  };
  const pipeline = new LayerPipeline({ target, expectedHex, plainHex, exactModes, consumed });
  jobs.set(job, pipeline);
  pipeline.result
    .then(
      (result) => post({ kind: 'done', job, result }),
      (error: unknown) => post({ kind: 'failed', job, error: sentError(error) }),
    )
    .finally(() => jobs.delete(job));
}

function check({ job, request }: Extract<ToWorker, { kind: 'check' }>): void {
  damageOf(request, () => post({ kind: 'consumed', job, bytes: 0 })).then(
    (damage) => post({ kind: 'done', job, result: { damage } }),
    (error: unknown) => post({ kind: 'failed', job, error: sentError(error) }),
  );
}

function readDocument(request: DocumentRequest): DocumentTypes[keyof DocumentTypes] {
  if (request.kind === 'manifest') return parseManifest(request.bytes, request.contentType, request.name);
  return request.kind === 'config' ? parseImageConfig(request.bytes) : parseArchiveManifest(request.bytes);
}
