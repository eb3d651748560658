// Owns GET /containers/json: its parameters, and the image name of each line. Filters nothing itself.

import type { ContainerRecord } from '../../engine/containers/types.ts';
import type { Engine } from '../../engine/types.ts';
import { parseGoInt, type Query } from '../../spec/docker/decode-query.ts';
import { boolFilter } from '../../spec/docker/filters.ts';
import type { ContainerSummary } from '../../spec/docker/types.gen.ts';
import { containerSummaryView } from '../views/container.ts';
import { LIST_KEYS, queryFilters, requireContainerValues } from './filter-keys.ts';

/** The lines of `docker ps`. */
export async function listContainers(engine: Engine, query: Query): Promise<readonly ContainerSummary[]> {
  const filters = queryFilters(query, LIST_KEYS.containers);
  const limitText = query.get('limit');
  const limit = limitText === '' ? 0 : parseGoInt(limitText);
  requireContainerValues(filters);
  boolFilter(filters, 'is-task', false);
  const views = engine.containers.list({
    all: query.bool('all') || limit > 0 || filters.has('status'),
    limit: limit > 0 ? limit : undefined,
    filters,
  });
  const imageName = imageNames(engine);
  const networks = new Map(engine.networks.list().map((network) => [network.name, network.id]));
  const idOf = (name: string): string => networks.get(name) ?? '';
  const nowMs = Date.now();
  const withSize = query.bool('size');
  return Promise.all(
    views.map(async ({ record, health }) => {
      const size = withSize ? await engine.containers.size(record.id) : undefined;
      return containerSummaryView(record, { idOf, nowMs, image: imageName(record), size, health });
    }),
  );
}

/** A container whose image name means another image by now is listed with its image id. */
function imageNames(engine: Engine): (record: ContainerRecord) => string {
  const current = new Map<string, string>();
  return ({ imageName, imageId }) => {
    let id = current.get(imageName);
    if (id === undefined) {
      id = idOfImage(engine, imageName);
      current.set(imageName, id);
    }
    return id === imageId ? imageName : imageId;
  };
}

function idOfImage(engine: Engine, name: string): string {
  try {
    return engine.images.get(name).id;
  } catch {
    return '';
  }
}
