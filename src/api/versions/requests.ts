// Owns how older clients' requests become the newest version's: queries and bodies, each step pure. Knows no handlers.

import type { BodyName, BodyTypes } from '../../spec/docker/decode.ts';
import type { Query } from '../../spec/docker/decode-query.ts';
import { parseFilters } from '../../spec/docker/filters.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import type {
  ContainerCreateRequest,
  ExecCreateRequest,
  ExecStartRequest,
  VolumeCreateOptions,
} from '../../spec/docker/types.gen.ts';
import { upgradeContainerCreate } from './container-create.ts';

interface QueryStep {
  /** Applies to clients older than this minor version. */
  readonly below: number;
  readonly change: (query: Query) => Query;
}

const without = (name: string) => (query: Query) => query.with(name, undefined);

const QUERY_STEPS: Partial<Readonly<Record<RouteId, readonly QueryStep[]>>> = {
  containerStop: [{ below: 42, change: without('signal') }],
  containerRestart: [{ below: 42, change: without('signal') }],
  containerCreate: [{ below: 41, change: without('platform') }],
  containerWait: [{ below: 30, change: without('condition') }],
  imageCreate: [{ below: 32, change: without('platform') }],
  imageList: [
    { below: 41, change: referenceFilter },
    { below: 42, change: without('shared-size') },
    { below: 47, change: without('manifests') },
  ],
  imageInspect: [
    { below: 48, change: without('manifests') },
    { below: 49, change: without('platform') },
  ],
  imageHistory: [{ below: 48, change: without('platform') }],
  imageSave: [{ below: 48, change: without('platform') }],
  imageSaveMany: [{ below: 48, change: without('platform') }],
  imageLoad: [{ below: 48, change: without('platform') }],
  volumePrune: [{ below: 42, change: allVolumes }],
  diskUsage: [{ below: 42, change: without('type') }],
};

/** The query as the newest version would have it. */
export function upgradeQuery(route: RouteId, minor: number, query: Query): Query {
  const steps = QUERY_STEPS[route];
  return steps === undefined
    ? query
    : steps.reduce((now, step) => (minor < step.below ? step.change(now) : now), query);
}

/** `filter=name`, before 1.41, is the reference filter. */
function referenceFilter(query: Query): Query {
  const name = query.get('filter');
  return name === '' ? query : withFilter(query, 'reference', name);
}

/** Before 1.42 a prune took named volumes too. */
function allVolumes(query: Query): Query {
  return withFilter(query, 'all', 'true');
}

/** @throws INVALID_FILTER */
function withFilter(query: Query, key: string, value: string): Query {
  const filters = Object.fromEntries(parseFilters(query.get('filters')));
  return query.with('filters', JSON.stringify({ ...filters, [key]: [value] }));
}

/** The body as the newest version would have it. @throws INVALID_REQUEST for what that version could not say */
export function upgradeBody<N extends BodyName>(
  _route: RouteId,
  minor: number,
  name: N,
  body: BodyTypes[N],
): BodyTypes[N] {
  if (name === 'ContainerCreateRequest') {
    return upgradeContainerCreate(minor, body as ContainerCreateRequest) as BodyTypes[N];
  }
  if (minor < 42 && (name === 'ExecCreateRequest' || name === 'ExecStartRequest')) {
    return { ...(body as ExecCreateRequest | ExecStartRequest), ConsoleSize: undefined } as BodyTypes[N];
  }
  if (minor < 42 && name === 'VolumeCreateOptions')
    return { ...(body as VolumeCreateOptions), ClusterVolumeSpec: undefined } as BodyTypes[N];
  return body;
}
