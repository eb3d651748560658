// Checks that a large document is read beside the main thread, and a small one at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseImageConfig } from '../../spec/oci/image-config.ts';
import { createDocuments } from './documents.ts';
import { FakeUnpacker } from './testing/fake-unpacker.ts';
import { imageNamed } from './testing/image-bench.ts';
import type { Unpacker } from './unpack/index.ts';

const { config, manifest } = imageNamed('a');
const LARGE = Buffer.alloc(64 * 1024 + 1, ' ');

/** Documents, and the kinds that were given to a worker. */
function opened(): { readonly documents: ReturnType<typeof createDocuments>; readonly sent: string[] } {
  const sent: string[] = [];
  const read = async (request: Parameters<Unpacker['read']>[0]): Promise<never> => {
    sent.push([request.kind, 'name' in request ? request.name : '', request.bytes.length].join(' '));
    throw new Error('a worker reads it');
  };
  return { documents: createDocuments(Object.assign(new FakeUnpacker(), { read })), sent };
}

test('what is small is read at once, without a thread', async () => {
  const { documents, sent } = opened();
  assert.deepEqual(await documents.config(config), parseImageConfig(config));
  assert.equal((await documents.manifest(manifest, '')).kind, 'image');
  assert.deepEqual(await documents.archive(Buffer.from('[]')), []);
  assert.deepEqual(sent, []);
});

test('what is large goes to a worker, however hostile, and keeps the name that its failure tells', async () => {
  const { documents, sent } = opened();
  await assert.rejects(documents.config(LARGE), /a worker reads it/);
  await assert.rejects(documents.manifest(LARGE, '', 'nginx:1'), /a worker reads it/);
  await assert.rejects(documents.archive(LARGE), /a worker reads it/);
  assert.deepEqual(sent, ['config  65537', 'manifest nginx:1 65537', 'archive  65537']);
});

test('what is no document fails as one does that is read at once: by a rejection', async () => {
  const { documents } = opened();
  for (const read of [documents.config, documents.archive]) await assert.rejects(read(Buffer.from('{')), /./);
  await assert.rejects(documents.manifest(Buffer.from('{'), ''), /./);
});
