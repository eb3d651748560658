// Owns the full table of handlers: one for every route, checked by the compiler. Answers nothing itself.

import type { RouteId } from '../spec/docker/routes.ts';
import type { ApiContext } from './context.ts';
import type { Handlers } from './exchange.ts';
import { absentHandlers } from './routes/absent.ts';
import { archiveHandlers } from './routes/archive.ts';
import { attachHandlers } from './routes/attach.ts';
import { buildCacheHandlers } from './routes/build-cache.ts';
import { lifecycleHandlers } from './routes/container-lifecycle.ts';
import { containerHandlers } from './routes/containers.ts';
import { execHandlers } from './routes/exec.ts';
import { imageSearchHandlers } from './routes/image-search.ts';
import { imageStreamHandlers } from './routes/image-streams.ts';
import { imageHandlers } from './routes/images.ts';
import { networkHandlers } from './routes/networks.ts';
import { notYetHandlers } from './routes/not-yet.ts';
import { systemHandlers } from './routes/system.ts';
import { volumeHandlers } from './routes/volumes.ts';

export function createHandlers(context: ApiContext): Handlers<RouteId> {
  return {
    ...systemHandlers(context),
    ...containerHandlers(context),
    ...lifecycleHandlers(context),
    ...archiveHandlers(context),
    ...attachHandlers(context),
    ...execHandlers(context),
    ...imageHandlers(context),
    ...imageStreamHandlers(context),
    ...imageSearchHandlers(context),
    ...networkHandlers(context),
    ...volumeHandlers(context),
    ...buildCacheHandlers(),
    ...notYetHandlers(context),
    ...absentHandlers(),
  };
}
