// Owns a store that speaks S3, in this process, for tests: it can be made to fail. Not part of the registry.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { S3Config } from './bucket.ts';

const require = createRequire(import.meta.url);

/** s3rver has no types of its own. */
interface S3rver {
  readonly store: Record<'putObject' | 'putPart', (...what: readonly unknown[]) => Promise<unknown>>;
  callback(): RequestListener;
  configureBuckets(): Promise<unknown>;
}

/** Its continuation tokens are made with DES, which OpenSSL 3 has only as the triple: with one key thrice the two are the same. */
function allowDes(): void {
  const crypto = require('node:crypto') as Record<
    'createCipheriv' | 'createDecipheriv',
    (name: string, key: Buffer, iv: Buffer) => unknown
  >;
  for (const make of ['createCipheriv', 'createDecipheriv'] as const) {
    const real = crypto[make];
    crypto[make] = (name, key, ...more) =>
      name === 'des' ? real('des-ede3-cbc', Buffer.concat([key, key, key]), ...more) : real(name, key, ...more);
  }
}
allowDes();
const Server = require('s3rver') as new (options: object) => S3rver;

/**
 * s3rver answers a PUT when the last byte came in, which may be before it lies in the file: who reads at once finds the old content.
 * A store's answer means more.
 */
function answerWhenWritten(store: S3rver['store']): void {
  for (const verb of ['putObject', 'putPart'] as const) {
    const real = store[verb].bind(store);
    store[verb] = (...what) => {
      const closed: Promise<unknown>[] = [];
      return writing.run(closed, async () => {
        const result = await real(...what);
        await Promise.all(closed);
        return result;
      });
    };
  }
}
/** The files that the present PUT writes. */
const writing = new AsyncLocalStorage<Promise<unknown>[]>();
const files = createRequire(require.resolve('s3rver'))('fs-extra') as {
  createWriteStream(path: string): Writable;
};
const { createWriteStream } = files;
files.createWriteStream = (path) => {
  const stream = createWriteStream(path);
  writing.getStore()?.push(once(stream, 'close').catch(() => undefined));
  return stream;
};

/** A running store with one bucket. */
export interface FakeS3 extends AsyncDisposable {
  readonly config: S3Config;
  /** Where it keeps the bucket's objects. */
  readonly folder: string;
  /** Method and path of every request. */
  readonly requests: string[];
  /** Requests that it answers with a failure of its own. */
  fail: (request: IncomingMessage) => boolean;
}

/** Starts a store on a free loopback port. */
export async function openFakeS3(): Promise<FakeS3> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-test-s3-'));
  const s3 = new Server({ silent: true, directory, configureBuckets: [{ name: 'registry' }] });
  await s3.configureBuckets();
  answerWhenWritten(s3.store);
  const handle = s3.callback();
  const server = createServer((request, response) => {
    fake.requests.push(`${request.method} ${request.url}`);
    if (!fake.fail(request)) return void handle(request, response);
    request.resume();
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeS3 = {
    config: {
      kind: 's3',
      bucket: 'registry',
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      accessKeyId: 'S3RVER',
      secretAccessKey: 'S3RVER',
      prefix: 'some/where/',
      forcePathStyle: true,
    },
    folder: join(directory, 'registry'),
    requests: [],
    fail: () => false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return fake;
}
