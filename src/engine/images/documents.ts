// Owns reading manifests and configurations without holding the event loop up: large ones are read by a worker.

import { type ArchiveItem, parseArchiveManifest } from '../../spec/oci/archive-manifest.ts';
import { type ImageFacts, parseImageConfig } from '../../spec/oci/image-config.ts';
import { type Manifest, parseManifest } from '../../spec/oci/manifest.ts';
import type { Unpacker } from './unpack/index.ts';

/** What is read in a few milliseconds at worst. Hostile JSON of 4 MiB takes most of a second. */
const SMALL_BYTES = 64 * 1024;

export interface Documents {
  /** @throws BAD_MANIFEST, SCHEMA1 */
  manifest(bytes: Buffer, contentType: string, name?: string): Promise<Manifest>;
  /** manifest.json of a docker-archive. @throws BAD_MANIFEST */
  archive(bytes: Buffer): Promise<readonly ArchiveItem[]>;
  /** @throws BAD_MANIFEST */
  config(bytes: Buffer): Promise<ImageFacts>;
}

export function createDocuments(unpacker: Unpacker): Documents {
  return {
    async manifest(bytes, contentType, name = 'the image') {
      if (bytes.length <= SMALL_BYTES) return parseManifest(bytes, contentType, name);
      return unpacker.read({ kind: 'manifest', bytes, contentType, name });
    },
    async archive(bytes) {
      if (bytes.length <= SMALL_BYTES) return parseArchiveManifest(bytes);
      return unpacker.read({ kind: 'archive', bytes });
    },
    async config(bytes) {
      if (bytes.length <= SMALL_BYTES) return parseImageConfig(bytes);
      return unpacker.read({ kind: 'config', bytes });
    },
  };
}
