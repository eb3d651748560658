// Owns an unpacker without threads: the port of the layer store. A layer is a folder with one file, and a skeleton that holds all of its
// tar; no owner is set, so that it needs no root.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { itemsUntilCancelled } from '../../../lib/abort.ts';
import { digestOf } from '../../../store/blobs.ts';
import { rebuildTar, type Unpacker, type UnpackResult } from '../unpack/index.ts';
import { SkeletonWriter } from '../unpack/skeleton.ts';

/** The one file of every layer. */
const CONTENT = 'content';

export class FakeUnpacker implements Unpacker {
  /** `unpack`, `check <folder>`, `remove <names>` in the order of the calls. */
  readonly calls: string[] = [];
  /** What each call of that name fails with, after it did half of its work. */
  readonly failures = new Map<'unpack' | 'check' | 'remove', Error>();

  async unpack(...[source, { target, consumed }, signal]: Parameters<Unpacker['unpack']>): Promise<UnpackResult> {
    this.calls.push('unpack');
    mkdirSync(target.directory);
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of itemsUntilCancelled(source, signal)) pieces.push(piece);
      const failure = this.failures.get('unpack');
      if (failure) throw failure;
    } catch (error) {
      rmSync(target.directory, { recursive: true });
      throw error;
    }
    const tar = Buffer.concat(pieces);
    consumed?.(tar.length);
    writeFileSync(join(target.directory, CONTENT), tar);
    using skeleton = new SkeletonWriter(target.skeleton);
    skeleton.literal(tar);
    skeleton.end();
    const hex = digestOf(tar).slice('sha256:'.length);
    const sizes = { compressedBytes: tar.length, plainBytes: tar.length, sizeBytes: tar.length };
    return { compressedHex: hex, plainHex: hex, ...sizes, replaced: [] };
  }

  async check({ target, plainHex }: Parameters<Unpacker['check']>[0]): Promise<string | undefined> {
    this.calls.push(`check ${target.directory.split('/').at(-1)}`);
    const failure = this.failures.get('check');
    if (failure) throw failure;
    if (!existsSync(target.directory)) return `the folder ${target.directory} is gone`;
    if (!existsSync(join(target.directory, CONTENT))) return 'a file is gone';
    const hash = createHash('sha256');
    for await (const piece of rebuildTar(target, [])) hash.update(piece);
    return hash.digest('hex') === plainHex ? undefined : 'its files have other content than they had';
  }

  async read(): Promise<never> {
    throw new Error('a layer store reads no documents');
  }

  async remove(paths: readonly string[]): Promise<void> {
    this.calls.push(`remove ${paths.map((path) => path.split('/').at(-1)).join(' ')}`.trim());
    const failure = this.failures.get('remove');
    if (failure) throw failure;
    for (const path of paths) rmSync(path, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
