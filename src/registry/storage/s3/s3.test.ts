// The S3 driver keeps the same contract, on a store that speaks S3.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { storageContract } from '../contract.ts';
import { groupsOf, openS3Storage, type S3Config } from './s3.ts';

/** s3rver has no types of its own. */
interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
const Server = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;

storageContract('s3', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-test-s3-'));
  const server = new Server({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'registry' }],
  });
  const { port } = await server.run();
  const config: S3Config = {
    kind: 's3',
    bucket: 'registry',
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    prefix: 'some/where/',
    forcePathStyle: true,
  };
  return {
    open: () => openS3Storage(config),
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});

test('parts too small for the store to copy are put together with their neighbours', () => {
  const sizes = (list: readonly number[]): number[][] =>
    groupsOf(list.map((mib) => ({ sizeBytes: mib << 20 }))).map((group) =>
      group.map(({ sizeBytes }) => sizeBytes >> 20),
    );
  assert.deepEqual(sizes([8, 8, 1]), [[8], [8], [1]]);
  assert.deepEqual(sizes([1, 1, 1, 8, 2]), [[1, 1, 1, 8], [2]]);
  assert.deepEqual(sizes([2, 3, 5]), [[2, 3], [5]]);
});
