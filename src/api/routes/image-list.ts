// Owns GET /images/json: its filters and counts. Pure but for asking the engine.

import type { ImageRecord } from '../../engine/images/types.ts';
import type { Engine } from '../../engine/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { fitsGlob, isGlob } from '../../lib/pattern.ts';
import type { Digest } from '../../spec/digest.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { boolFilter, type Filters, matchesLabels } from '../../spec/docker/filters.ts';
import type { ImageSummary } from '../../spec/docker/types.gen.ts';
import { parseRfc3339 } from '../../spec/time.ts';
import { imageSummaryView } from '../views/image.ts';
import { LIST_KEYS, momentsOf, queryFilters } from './filter-keys.ts';

/** The lines of `docker images`, newest first. */
export function listImages(engine: Engine, query: Query): readonly ImageSummary[] {
  const filters = queryFilters(query, LIST_KEYS.images);
  const matches = imageMatcher(engine, filters);
  const counts = containersPerImage(engine);
  const shared = query.bool('shared-size') ? engine.images.usage().sharedBytes : undefined;
  const sharedBytes = (id: Digest): number => (shared ? (shared.get(id) ?? 0) : -1);
  return engine.images
    .list()
    .flatMap((image) => matches(image) ?? [])
    .sort((a, b) => Number((createdNanos(b) ?? 0n) - (createdNanos(a) ?? 0n)))
    .map((image) => imageSummaryView(image, { containers: counts(image.id), sharedBytes: sharedBytes(image.id) }));
}

/** How many containers each image has. */
export function containersPerImage(engine: Engine): (id: string) => number {
  const counts = new Map<string, number>();
  for (const { record } of engine.containers.list({ all: true, filters: new Map() })) {
    counts.set(record.imageId, (counts.get(record.imageId) ?? 0) + 1);
  }
  return (id) => counts.get(id) ?? 0;
}

/** Unix nanoseconds; undefined for an image that does not say when it was made. */
function createdNanos(image: ImageRecord): bigint | undefined {
  return parseRfc3339(image.created);
}

/** The image as far as it matches (a reference filter hides its other names); undefined when it does not. */
function imageMatcher(engine: Engine, filters: Filters): (image: ImageRecord) => ImageRecord | undefined {
  const wantsDangling = filters.has('dangling') ? boolFilter(filters, 'dangling', false) : undefined;
  const before = [...momentsOf(filters, 'system'), ...bounds(engine, filters.get('before'))];
  const since = bounds(engine, filters.get('since'));
  const labels = filters.get('label') ?? [];
  const patterns = filters.get('reference') ?? [];
  requirePatterns(patterns);
  return (image) => {
    const created = createdNanos(image);
    const dangling = image.repoTags.length === 0;
    if (wantsDangling !== undefined && wantsDangling !== dangling) return undefined;
    // An image without a date is neither before nor after anything. @source dockerd 28.5
    if (created === undefined && before.length + since.length > 0) return undefined;
    if (before.some((bound) => (created ?? 0n) >= bound) || since.some((bound) => (created ?? 0n) <= bound)) {
      return undefined;
    }
    if (!matchesLabels(image.config.Labels ?? {}, labels)) return undefined;
    return patterns.length === 0 ? image : named(image, patterns);
  };
}

/** A bound without a date bounds nothing. @source dockerd 28.5 */
function bounds(engine: Engine, refs: readonly string[] | undefined): readonly bigint[] {
  return (refs ?? []).flatMap((ref) => createdNanos(engine.images.get(ref)) ?? []);
}

/** @throws BAD_PATTERN with Docker's text and status */
function requirePatterns(patterns: readonly string[]): void {
  if (patterns.every(isGlob)) return;
  throw new GantryError('system', 'BAD_PATTERN', 'syntax error in pattern');
}

function named(image: ImageRecord, patterns: readonly string[]): ImageRecord | undefined {
  const matches = (name: string): boolean => patterns.some((pattern) => matchesReference(name, pattern));
  const repoTags = image.repoTags.filter(matches);
  const repoDigests = image.repoDigests.filter(matches);
  return repoTags.length === 0 && repoDigests.length === 0 ? undefined : { ...image, repoTags, repoDigests };
}

/** Shell patterns on the name with or without its tag; `*` stops at slashes. @source distribution/reference FamiliarMatch */
function matchesReference(name: string, pattern: string): boolean {
  const withoutTag = name.replace(/(?:@[^@]+|:[^:/]+)$/, '');
  return fitsGlob(name, pattern) || fitsGlob(withoutTag, pattern);
}
