// Owns the image routes that answer once. Knows no streams.

import type { ImagePruneFilters, ImageRecord, Images } from '../../engine/images/types.ts';
import { GantryError, isGantryError } from '../../lib/errors.ts';
import { decodePlatform } from '../../spec/docker/decode-platform.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { boolFilter } from '../../spec/docker/filters.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { type Platform, platformText } from '../../spec/platform.ts';
import { parseReference } from '../../spec/reference.ts';
import type { ApiContext } from '../context.ts';
import { prefixed } from '../errors.ts';
import { EMPTY_OK, type Handler, json } from '../exchange.ts';
import { imageHistoryView, imageInspectView } from '../views/image.ts';
import { PRUNE_KEYS, queryFilters, requireMoments } from './filter-keys.ts';
import { listImages } from './image-list.ts';

type ImageRoute = Extract<
  RouteId,
  'imageList' | 'imageInspect' | 'imageHistory' | 'imageTag' | 'imageRemove' | 'imagePrune'
>;

export function imageHandlers({ engine }: ApiContext): Readonly<Record<ImageRoute, Handler>> {
  const { images } = engine;
  return {
    imageList: ({ query }) => json(listImages(engine, query)),

    imageInspect({ name, query }) {
      if (query.bool('manifests') && query.has('platform')) {
        const message = 'conflicting options: manifests and platform options cannot both be set';
        throw new GantryError('invalid', 'CONFLICTING_OPTIONS', message);
      }
      const image = imageOf(images, name, platformsIn(query, 'platform'));
      return json(imageInspectView(image, images.layerPaths(image.id)));
    },

    imageHistory({ name, query }) {
      const image = imageOf(images, name, platformsIn(query, 'platform'));
      // The face tells no layer sizes; one layer is the whole image, several share what is not known.
      const only = image.diffIds.length === 1;
      return json(imageHistoryView(image, () => (only ? image.sizeBytes : 0)));
    },

    async imageTag({ name, query }) {
      const repo = query.get('repo');
      if (repo === '') return EMPTY_OK;
      const tag = query.get('tag');
      if (tag !== '' && !/^\w[\w.-]{0,127}$/.test(tag)) throw badTag();
      const target = tag === '' ? repo : `${repo}:${tag}`;
      parseReference(target);
      requireSource(images, name);
      await images.tag(name, target);
      return { kind: 'empty', status: 201 };
    },

    async imageRemove({ name, query }) {
      if (name.trim() === '') throw new GantryError('invalid', 'EMPTY_NAME', 'image name cannot be blank');
      const platforms = platformsIn(query, 'platforms');
      if (platforms.length > 0) imageOf(images, name, platforms);
      const removed = await images.remove(name, { force: query.bool('force'), prune: !query.bool('noprune') });
      return json(removed.map(removedLine));
    },

    async imagePrune({ query }) {
      const { removed, reclaimedBytes } = await images.prune(pruneFilters(query));
      return json({
        ImagesDeleted: removed.length > 0 ? removed.map(removedLine) : null,
        SpaceReclaimed: reclaimedBytes,
      });
    },
  };
}

/** The platforms of a repeated JSON parameter. @throws INVALID_PLATFORM */
export function platformsIn(query: Query, parameter: string): readonly Platform[] {
  return query
    .all(parameter)
    .filter((text) => parameter !== 'platform' || text !== '')
    .map(decodePlatform);
}

/** An image for each of `platforms`. @throws NO_SUCH_IMAGE, WRONG_PLATFORM (notFound) with Docker's text */
function imageOf(images: Images, name: string, platforms: readonly Platform[]): ImageRecord {
  const image = images.get(name);
  const wrong = platforms.find((platform) => !images.matches(image, platform));
  if (wrong === undefined) return image;
  const [have, want] = [image.platform, wrong].map(platformText);
  const message = `image with reference ${name} was found but its platform (${have}) does not match the specified platform (${want})`;
  throw new GantryError('notFound', 'WRONG_PLATFORM', message);
}

/** A name that cannot be one is not found here. @source dockerd 28.5 */
function requireSource(images: Images, name: string): void {
  try {
    images.get(name);
  } catch (error) {
    throw isGantryError(error, 'invalid') ? prefixed(error, '', 'notFound') : error;
  }
}

/** @source dockerd 28.5.2: a tag with a space */
export function badTag(): GantryError {
  return new GantryError('invalid', 'INVALID_REFERENCE', 'invalid tag format');
}

function removedLine(part: { readonly untagged?: string | undefined; readonly deleted?: string | undefined }): unknown {
  return part.untagged !== undefined ? { Untagged: part.untagged } : { Deleted: part.deleted };
}

function pruneFilters(query: Query): ImagePruneFilters {
  const filters = queryFilters(query, PRUNE_KEYS.images);
  const dangling = boolFilter(filters, 'dangling', true);
  const until = requireMoments(filters, 'system');
  return {
    dangling,
    until: until === undefined ? undefined : Number(until / 1_000_000_000n),
    labels: filters.get('label') ?? [],
    notLabels: filters.get('label!') ?? [],
  };
}
