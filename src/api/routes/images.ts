// Owns the image routes that answer once. Knows no streams.

import type { ImagePruneFilters, ImageRecord, Images } from '../../engine/images/types.ts';
import { GantryError } from '../../lib/errors.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { boolFilter } from '../../spec/docker/filters.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import type { ImageDeleteResponseItem } from '../../spec/docker/types.gen.ts';
import { platformText } from '../../spec/platform.ts';
import type { ApiContext } from '../context.ts';
import { EMPTY_OK, type Handlers, json } from '../exchange.ts';
import { imageHistoryView, imageInspectView } from '../views/image.ts';
import { PRUNE_KEYS, queryFilters, requireMoments } from './filter-keys.ts';
import { listImages } from './image-list.ts';
import { platformObject } from './image-platform.ts';

type ImageRoute = Extract<
  RouteId,
  'imageList' | 'imageInspect' | 'imageHistory' | 'imageTag' | 'imageRemove' | 'imagePrune'
>;

export function imageHandlers({ engine }: ApiContext): Handlers<ImageRoute> {
  const { images } = engine;
  return {
    imageList: ({ query }) => json(listImages(engine, query)),

    imageInspect({ name, query }) {
      if (query.bool('manifests') && query.get('platform') !== '') {
        throw invalid('conflicting options: manifests and platform options cannot both be set');
      }
      const image = ofPlatform(images, name, query);
      return json(imageInspectView(image, images.layerPaths(image.id)));
    },

    imageHistory({ name, query }) {
      const image = ofPlatform(images, name, query);
      const sizes = images.layerSizes(image.id);
      return json(imageHistoryView(image, (index) => sizes[index] ?? 0));
    },

    async imageTag({ name, query }) {
      const repo = query.get('repo');
      if (repo === '') return EMPTY_OK;
      const tag = query.get('tag');
      if (tag !== '' && !/^\w[\w.-]{0,127}$/.test(tag)) throw badTag();
      // The tag of its own wins over one behind the name. @source dockerd 28.5
      await images.tag(name, tag === '' ? repo : `${repo.replace(/:[^:/@]+$/, '')}:${tag}`);
      return { kind: 'empty', status: 201 };
    },

    async imageRemove({ name, query }) {
      if (name.trim() === '') throw new GantryError('invalid', 'EMPTY_NAME', 'image name cannot be blank');
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

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_PARAMETER', message);
}

/** The image that `name` stands for, if it is for the platform asked for. @throws NO_MATCHING_IMAGE with Docker's text */
function ofPlatform(images: Images, name: string, query: Query): ImageRecord {
  const platform = platformObject(query);
  const image = images.get(name);
  if (!platform || images.matches(image, platform)) return image;
  const [has, wanted] = [platformText(image.platform), platformText(platform)];
  const detail = `was found but its platform (${has}) does not match the specified platform (${wanted})`;
  throw new GantryError('notFound', 'NO_MATCHING_IMAGE', `image with reference ${name} ${detail}`);
}

/** @source dockerd 28.5.2: a tag with a space */
export function badTag(): GantryError {
  return new GantryError('invalid', 'INVALID_REFERENCE', 'invalid tag format');
}

function removedLine(part: {
  readonly untagged?: string | undefined;
  readonly deleted?: string | undefined;
}): ImageDeleteResponseItem {
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
