// Owns the volume routes. Knows no mounts.

import { isGantryError } from '../../lib/errors.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { boolFilter, type Filters } from '../../spec/docker/filters.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import type { VolumeCreateOptions } from '../../spec/docker/types.gen.ts';
import type { ApiContext } from '../context.ts';
import { notSwarmManager, prefixed } from '../errors.ts';
import { type Handlers, json, NO_CONTENT } from '../exchange.ts';
import { volumeView } from '../views/volume.ts';
import { LIST_KEYS, PRUNE_KEYS, queryFilters } from './filter-keys.ts';

function listFilters(query: Query): Filters {
  try {
    return queryFilters(query, LIST_KEYS.volumes);
  } catch (error) {
    // Docker names them where they are no filters at all. @source dockerd 28.5
    if (!isGantryError(error) || error.message !== 'invalid filter') throw error;
    throw prefixed(error, 'error reading volume filters: ');
  }
}

type VolumeRoute = Exclude<Extract<RouteId, `volume${string}`>, 'volumeUpdate'>;

export function volumeHandlers({ engine }: ApiContext): Handlers<VolumeRoute> {
  const { volumes } = engine;
  return {
    volumeList({ query }) {
      const filters = listFilters(query);
      boolFilter(filters, 'dangling', false);
      return json({ Volumes: volumes.list(filters).map(volumeView), Warnings: null });
    },

    volumeInspect: ({ name }) => json(volumeView(volumes.get(name))),

    async volumeCreate(x) {
      const body: VolumeCreateOptions = (await x.body('VolumeCreateOptions')) ?? {};
      if (body.ClusterVolumeSpec) throw notSwarmManager();
      const volume = await volumes.create({
        name: body.Name || undefined,
        driver: body.Driver || undefined,
        labels: body.Labels,
        options: body.DriverOpts,
      });
      return json(volumeView(volume), 201);
    },

    async volumeRemove({ name, query }) {
      await volumes.remove(name, query.bool('force'));
      return NO_CONTENT;
    },

    async volumePrune({ query }) {
      const filters = queryFilters(query, PRUNE_KEYS.volumes);
      boolFilter(filters, 'all', false);
      const { names, reclaimedBytes } = await volumes.prune(filters);
      return json({ VolumesDeleted: names, SpaceReclaimed: reclaimedBytes });
    },
  };
}
