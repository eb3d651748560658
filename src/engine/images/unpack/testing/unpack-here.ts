// Owns unpacking in this thread, into a throwaway folder, of entries that belong to whoever runs the test: so no root is needed.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { testFolder } from '../../../../lib/testing/folder.ts';
import { type Member, tarOf } from '../../testing/made-images.ts';
import type { UnpackResult, UnpackTarget } from '../messages.ts';
import { LayerPipeline, type PipelineOptions } from '../pipeline.ts';
import { rebuildTar } from '../skeleton.ts';

const OWNER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** A tar of members that are ours. Name every folder: one that is only implied becomes root's. */
export function ownTar(...members: readonly Member[]): Buffer {
  return tarOf(...members.map((member) => ({ ...OWNER, ...member })));
}

export interface Place extends Disposable {
  readonly target: UnpackTarget;
  /** A path in the layer. */
  at(name: string): string;
  /** Which of folder, skeleton and replaced paths are there. */
  there(): string[];
  unpack(bytes: Buffer, options?: Partial<PipelineOptions> & { readonly pieceBytes?: number }): Promise<UnpackResult>;
  /** The tar as the disk gives it back. */
  rebuilt(result: UnpackResult): Promise<Buffer>;
}

export function openPlace(): Place {
  const folder = testFolder('unpack');
  const directory = join(folder, 'layer');
  const target = { directory, skeleton: `${directory}.skeleton`, replaced: `${directory}.replaced` };
  return {
    target,
    at: (name) => join(directory, name),
    there: () => Object.entries(target).flatMap(([name, path]) => (existsSync(path) ? [name] : [])),
    unpack(bytes, { pieceBytes = bytes.length, ...options } = {}) {
      const none = { expectedHex: undefined, plainHex: undefined, exactModes: false, consumed: () => {} };
      const pipeline = new LayerPipeline({ target, ...none, ...options });
      for (let at = 0; at < bytes.length; at += pieceBytes) pipeline.write(bytes.subarray(at, at + pieceBytes));
      pipeline.end();
      return pipeline.result;
    },
    async rebuilt({ replaced }) {
      const pieces: Buffer[] = [];
      for await (const piece of rebuildTar(target, replaced)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
