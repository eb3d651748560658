// Owns the container routes that make, list and show containers. Changes no state of a running one, knows no streams.

import { type ErrorCode, GantryError } from '../../lib/errors.ts';
import type { ReplyOf } from '../../spec/docker/route-replies.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { parsePlatform } from '../../spec/platform.ts';
import type { ApiContext } from '../context.ts';
import { EMPTY_OK, type Exchange, type Handlers, json, type Reply } from '../exchange.ts';
import { settleCreate } from '../versions/container-create.ts';
import { containerInspectView } from '../views/container.ts';
import type { ArchiveRoute } from './archive.ts';
import type { LifecycleRoute } from './container-lifecycle.ts';
import { listContainers } from './container-list.ts';
import { PRUNE_KEYS, queryFilters, requireMoments } from './filter-keys.ts';
import type { NotYetRoute } from './not-yet.ts';
import { terminalSize } from './terminal-size.ts';

type Elsewhere = Attached | ArchiveRoute | LifecycleRoute | NotYetRoute;
type ContainerRoute = Exclude<Extract<RouteId, `container${string}`>, Elsewhere>;
type Attached = 'containerAttach' | 'containerAttachWebSocket' | 'containerLogs';

export function containerHandlers(context: ApiContext): Handlers<ContainerRoute> {
  const { engine } = context;
  const { containers } = engine;

  return {
    containerList: async ({ query }) => json(await listContainers(engine, query)),

    containerCreate: (x) => create(context, x),

    async containerInspect({ name, query }) {
      const view = containers.view(name);
      const size = query.bool('size') ? await containers.size(view.record.id) : undefined;
      return json(containerInspectView(view, networkIds(context), size));
    },

    async containerResize({ name, query }) {
      await containers.resize(name, ...terminalSize(query));
      return EMPTY_OK;
    },

    async containerTop({ name, query }) {
      const { titles, processes } = await containers.top(name, query.get('ps_args'));
      return json({ Processes: processes, Titles: titles });
    },

    async containerPrune({ query }) {
      const filters = queryFilters(query, PRUNE_KEYS.containers);
      requireMoments(filters, 'invalid');
      const { ids, reclaimedBytes } = await containers.prune(filters);
      return json({ ContainersDeleted: ids.length > 0 ? ids : null, SpaceReclaimed: reclaimedBytes });
    },
  };
}

async function create({ engine }: ApiContext, x: Exchange): Promise<Reply<ReplyOf<'containerCreate'>>> {
  const { query } = x;
  const body = await x.body('ContainerCreateRequest');
  if (body === undefined) throw invalid('INVALID_JSON', 'invalid JSON: got EOF while reading request body');
  // Docker takes a body that names no config field at all for a missing config.
  if (!Object.keys(body).some((key) => key !== 'HostConfig' && key !== 'NetworkingConfig')) {
    throw invalid('EMPTY_CONFIG', 'config cannot be empty in order to create a container');
  }
  const settled = settleCreate(body, x.minor);
  const name = query.get('name').replace(/^\//, '');
  const platform = query.get('platform');
  const request = {
    name: name === '' ? undefined : name,
    platform: platform === '' ? undefined : parsePlatform(platform),
    body: settled.body,
  };
  const { id, warnings } = await engine.containers.create(request);
  return json({ Id: id, Warnings: [...settled.warnings, ...warnings] }, 201);
}

/** Ids of networks by name, for containers that are attached to none now. */
function networkIds({ engine }: ApiContext): (name: string) => string {
  return (name) => {
    try {
      return engine.networks.get(name).id;
    } catch {
      return '';
    }
  };
}

function invalid(code: ErrorCode, message: string): GantryError {
  return new GantryError('invalid', code, message);
}
