// Owns the index of the store's OCI image layout, for tools that read the store as a layout: tagged manifests, and those that no index
// contains. It follows the records within seconds, and is written at the start and the end of the registry.
// @source OCI image specification 1.1, image-layout.md

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { messageOf } from '../../lib/errors.ts';
import { MEDIA } from '../../spec/oci/manifest.ts';
import type { Database } from '../../store/database.ts';
import { Periodic } from '../../store/jobs/index.ts';
import type { Storage } from '../storage/types.ts';
import { BLOB_TYPE, type EventListener, type Log } from '../types.ts';
import { HIDDEN } from './schema.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
/** Changes within this time are written together. */
const QUIET_MS = 1000;
/** Writing takes at most this part of the time, so that a large index is written less often. */
const SHARE = 1 / 50;
/** The pause after a failed write. */
const TROUBLE_MS = 60_000;
/** Rows of one step, which takes some milliseconds. */
const BATCH = 1000;

export interface LayoutIndexOptions {
  readonly database: Database;
  readonly log: Log;
}

/** Writes the index after changes. */
export class LayoutIndex implements AsyncDisposable {
  readonly #options: LayoutIndexOptions;
  readonly #write: NonNullable<Storage['writeIndex']>;
  /** Runs one write at a time: a write may take longer than the pause before the next. */
  readonly #writer: Periodic;
  #isStale = true;
  #pauseMs = QUIET_MS;

  /** `write` replaces the index atomically. */
  constructor(options: LayoutIndexOptions, write: NonNullable<Storage['writeIndex']>) {
    this.#options = options;
    this.#write = write;
    this.#writer = new Periodic({
      everyMs: 0,
      run: () => this.#refresh(),
      onError: (error) => options.log('error', `the layout's index: ${messageOf(error)}`),
    }).start();
    this.#writer.soon(this.#pauseMs);
  }

  readonly listener: EventListener = ({ action, mediaType }) => {
    if (mediaType === BLOB_TYPE || (action !== 'push' && action !== 'delete')) return;
    this.#isStale = true;
    this.#writer.soon(this.#pauseMs);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    if (!this.#isStale) return;
    this.#isStale = false;
    const began = performance.now();
    try {
      await this.#write(this.#text());
      this.#pauseMs = Math.max(QUIET_MS, (performance.now() - began) / SHARE);
    } catch (error) {
      this.#isStale = true;
      this.#pauseMs = TROUBLE_MS;
      this.#options.log('warn', `cannot write the layout's index: ${messageOf(error)}`);
      this.#writer.soon(this.#pauseMs);
    }
  }

  async *#text(): AsyncGenerator<string> {
    yield `{"schemaVersion":2,"mediaType":"${MEDIA.ociIndex}","manifests":[`;
    let separator = '';
    for (const batches of [this.#tagged(), this.#untagged()]) {
      for (const batch of batches) {
        if (batch.length > 0) yield separator + batch.join(',\n');
        if (batch.length > 0) separator = ',\n';
        await yieldToEventLoop();
      }
    }
    yield ']}\n';
  }

  *#tagged(): Generator<readonly string[]> {
    let after: readonly [repository: number, tag: string] = [-1, ''];
    for (;;) {
      const rows = this.#options.database
        .sql(`SELECT t.repository, t.name AS tag, r.name, m.digest, m.media_type, m.size FROM tags t
              JOIN repositories r ON r.id = t.repository JOIN manifests m ON m.id = t.manifest AND m.repository = t.repository
              WHERE (t.repository, t.name) > (?, ?) ORDER BY t.repository, t.name LIMIT ${BATCH}`)
        .all(...after);
      const last = rows.at(-1);
      if (!last) return;
      after = [Number(last.repository), String(last.tag)];
      yield rows.map((row) => descriptor(row, { annotations: { [REF_NAME]: `${row.name}:${row.tag}` } }));
    }
  }

  /** Manifests that are neither tagged nor entries of an index. */
  *#untagged(): Generator<readonly string[]> {
    const end = Number(this.#options.database.sql('SELECT max(id) AS id FROM manifests').get()?.id ?? 0);
    for (let from = 0; from < end; from += BATCH) {
      const rows = this.#options.database
        .sql(`SELECT m.digest, m.media_type, m.size FROM manifests m WHERE m.id > ? AND m.id <= ?
              AND m.repository IN (SELECT id FROM repositories WHERE name < '${HIDDEN}')
              AND NOT EXISTS (SELECT 1 FROM tags WHERE manifest = m.id)
              AND NOT EXISTS (SELECT 1 FROM manifest_references f WHERE f.digest = m.digest AND f.kind = 'manifest')`)
        .all(from, from + BATCH);
      yield rows.map((row) => descriptor(row, {}));
    }
  }
}

function descriptor(row: Readonly<Record<string, unknown>>, more: object): string {
  return JSON.stringify({ mediaType: row.media_type, digest: row.digest, size: Number(row.size), ...more });
}
