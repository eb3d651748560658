// Owns the container routes that answer once: list, create, inspect, start, stop and the like. Knows no streams.

import type { WaitCondition } from '../../engine/containers/types.ts';
import { type ErrorCode, GantryError } from '../../lib/errors.ts';
import { goQuote, parseGoInt, type Query, uint32Fault } from '../../spec/docker/decode-query.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { parsePlatform } from '../../spec/platform.ts';
import { parseSignal } from '../../spec/signals.ts';
import type { ApiContext } from '../context.ts';
import { prefixed, stopFailure } from '../errors.ts';
import { DONE, EMPTY_OK, type Exchange, type Handler, json, NO_CONTENT } from '../exchange.ts';
import { settleCreate } from '../versions/container-create.ts';
import { waitHeadersFirst } from '../versions/streams.ts';
import { containerInspectView } from '../views/container.ts';
import type { ArchiveRoute } from './archive.ts';
import { listContainers } from './container-list.ts';
import { PRUNE_KEYS, queryFilters, requireMoments } from './filter-keys.ts';
import type { NotYetRoute } from './not-yet.ts';

type ContainerRoute = Exclude<Extract<RouteId, `container${string}`>, Attached | ArchiveRoute | NotYetRoute>;
type Attached = 'containerAttach' | 'containerAttachWebSocket' | 'containerLogs';

export function containerHandlers(context: ApiContext): Readonly<Record<ContainerRoute, Handler>> {
  const { engine } = context;
  const { containers } = engine;

  return {
    containerList: async ({ query }) => json(await listContainers(engine, query)),

    async containerCreate(x) {
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
      const { id, warnings } = await containers.create(request);
      return json({ Id: id, Warnings: [...settled.warnings, ...warnings] }, 201);
    },

    async containerInspect({ name, query }) {
      const view = containers.view(name);
      const size = query.bool('size') ? await containers.size(view.record.id) : undefined;
      return json(containerInspectView(view, networkIds(context), size));
    },

    async containerStart(x) {
      if (x.query.get('checkpoint') !== '') {
        throw invalid('EXPERIMENTAL', 'checkpoint is only supported in experimental mode');
      }
      await containers.start(x.name);
      return NO_CONTENT;
    },

    async containerStop({ name, query }) {
      const options = stopOptions(query);
      try {
        await containers.stop(name, options);
      } catch (error) {
        throw stopFailure(error, `cannot stop container: ${name}: `);
      }
      return NO_CONTENT;
    },

    async containerRestart({ name, query }) {
      const options = stopOptions(query);
      try {
        await containers.restart(name, options);
      } catch (error) {
        throw stopFailure(error, `Cannot restart container ${name}: `);
      }
      return NO_CONTENT;
    },

    async containerKill({ name, query }) {
      const signal = query.get('signal');
      try {
        // Before the container is looked for. @source dockerd 28.5
        if (signal !== '') parseSignal(signal);
        await containers.kill(name, signal);
      } catch (error) {
        throw prefixed(error, `cannot kill container: ${name}: `);
      }
      return NO_CONTENT;
    },

    async containerPause({ name }) {
      await containers.pause(name);
      return NO_CONTENT;
    },

    async containerUnpause({ name }) {
      await containers.unpause(name);
      return NO_CONTENT;
    },

    async containerRename({ name, query }) {
      const newName = query.get('name').replace(/^\//, '');
      if (newName === '') throw invalid('EMPTY_NAME', 'Neither old nor new names may be empty');
      await containers.rename(name, newName);
      return NO_CONTENT;
    },

    containerWait: (x) => waitFor(context, x),

    async containerResize({ name, query }) {
      await containers.resize(name, ...terminalSize(query));
      return EMPTY_OK;
    },

    async containerTop({ name, query }) {
      const { titles, processes } = await containers.top(name, query.get('ps_args'));
      return json({ Processes: processes, Titles: titles });
    },

    async containerRemove({ name, query }) {
      if (name === '') throw invalid('EMPTY_NAME', 'invalid name or ID supplied: ""');
      const options = { force: query.bool('force'), volumes: query.bool('v'), link: query.bool('link') };
      await containers.remove(name, options);
      return NO_CONTENT;
    },

    async containerPrune({ query }) {
      const filters = queryFilters(query, PRUNE_KEYS.containers);
      requireMoments(filters, 'invalid');
      const { ids, reclaimedBytes } = await containers.prune(filters);
      return json({ ContainersDeleted: ids.length > 0 ? ids : null, SpaceReclaimed: reclaimedBytes });
    },
  };
}

function stopOptions(query: Query): { timeoutSeconds: number | undefined; signal: string | undefined } {
  const seconds = query.get('t');
  const signal = query.get('signal');
  return {
    timeoutSeconds: seconds === '' ? undefined : parseGoInt(seconds),
    signal: signal === '' ? undefined : signal,
  };
}

/** Rows and columns of `h` and `w`. @throws BAD_SIZE with Docker's text */
export function terminalSize(query: Query): [rows: number, columns: number] {
  const read = (parameter: string, word: string): number => {
    const text = query.get(parameter);
    const fault = uint32Fault(text);
    if (fault === undefined) return Number(text);
    throw invalid('BAD_SIZE', `invalid resize ${word} ${goQuote(text)}: ${fault}`);
  };
  return [read('h', 'height'), read('w', 'width')];
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

const CONDITIONS: readonly WaitCondition[] = ['not-running', 'next-exit', 'removed'];

async function waitFor({ engine, writer }: ApiContext, x: Exchange): Promise<typeof DONE | ReturnType<typeof json>> {
  const asked = x.query.get('condition');
  const condition = CONDITIONS.find((known) => known === (asked === '' ? 'not-running' : asked));
  if (condition === undefined) throw invalid('BAD_CONDITION', `invalid condition: ${JSON.stringify(asked)}`);
  const { response } = x;
  const ready = (): void => {
    if (!waitHeadersFirst(x.minor) || response.headersSent) return;
    writer.head(response, 200, 'application/json');
    response.flushHeaders();
  };
  const signal = x.watchHalfClose();
  const result = await engine.containers.wait(x.name, condition, ready, signal).catch((error: unknown) => {
    // After the headers a broken wait can only be told in the body.
    if (!response.headersSent || signal.aborted) throw error;
    return { exitCode: -1, error: error instanceof Error ? error.message : String(error) };
  });
  const value = { StatusCode: result.exitCode, ...(result.error ? { Error: { Message: result.error } } : {}) };
  if (!response.headersSent) return json(value);
  response.end(`${JSON.stringify(value)}\n`);
  return DONE;
}

function invalid(code: ErrorCode, message: string): GantryError {
  return new GantryError('invalid', code, message);
}
