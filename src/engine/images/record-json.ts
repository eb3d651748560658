// Owns the forms of stored JSON about images and layers. No behaviour.

import * as v from 'valibot';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { ImageFacts } from '../../spec/oci/image-config.ts';
import { type StoredJson, storedJson } from '../../store/stored-json.ts';
import type { Replaced } from './unpack/index.ts';

const digest = v.custom<Digest>(
  (value) => typeof value === 'string' && parseAnyDigest(value) !== undefined,
  'no digest',
);
const text = v.string();
/** Checked when the image came. */
const config = v.custom<ImageFacts['config']>((value) => typeof value === 'object' && value !== null, 'no object');

const facts = v.object({
  created: text,
  platform: v.object({ os: text, architecture: text, variant: v.optional(text) }),
  osVersion: v.optional(text),
  author: text,
  comment: text,
  dockerVersion: text,
  config,
  diffIds: v.array(digest),
  history: v.array(
    v.object({
      created: v.exactOptional(text),
      created_by: v.exactOptional(text),
      author: v.exactOptional(text),
      comment: v.exactOptional(text),
      empty_layer: v.exactOptional(v.boolean()),
    }),
  ),
});

export const FACTS_JSON: StoredJson<ImageFacts> = storedJson('image', facts);
export const BLOBS_JSON: StoredJson<readonly Digest[]> = storedJson('the blobs of image', v.array(digest));
export const REPLACED_JSON: StoredJson<readonly Replaced[]> = storedJson(
  'layer',
  v.array(v.object({ entry: v.number(), path: text, to: v.number() })),
);
