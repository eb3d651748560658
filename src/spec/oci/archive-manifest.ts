// Owns manifest.json of a docker-archive: what docker save says of the images in it. Pure.

import { decodeDocument, listOf, mapOf, optional, STRING, stringOf, structOf } from './go-json.ts';
import { badManifest, DESCRIPTOR } from './manifest.ts';

/** Each image is read and checked before any is loaded. */
const IMAGES_MAX = 5_000;

/** One image of the archive, by the names of its members. */
export interface ArchiveItem {
  readonly config: string;
  readonly repoTags: readonly string[];
  /** Base first. */
  readonly layers: readonly string[];
}

/** @source tarexport.manifestItem of dockerd 28.5 */
const ITEM = structOf('tarexport.manifestItem', {
  Config: STRING,
  RepoTags: listOf(STRING),
  Layers: listOf(STRING),
  Parent: stringOf('image.ID'),
  LayerSources: mapOf(DESCRIPTOR, 'map[layer.DiffID]distribution.Descriptor'),
});

/** @throws BAD_MANIFEST with Docker's text */
export function parseArchiveManifest(bytes: Uint8Array): readonly ArchiveItem[] {
  const items = decodeDocument(listOf(optional(ITEM), IMAGES_MAX), '', bytes, 'manifest.json of the archive');
  if (!items) throw badManifest('invalid manifest, manifest cannot be null (but can be [])');
  return items.map((item) => {
    const { Config, RepoTags = [], Layers = [] } = item ?? ITEM.zero;
    return { config: Config, repoTags: RepoTags, layers: Layers };
  });
}
