// Owns the routes of Docker that this engine does not answer yet: each says what is missing and what to do instead. 404 would be taken
// for a missing container or image.

import { GantryError } from '../../lib/errors.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import type { ApiContext } from '../context.ts';
import type { Exchange, Handlers, Refusing } from '../exchange.ts';
import { grpcHandlers } from './grpc.ts';

/** What this engine cannot do, and what to do instead. */
type Missing = readonly [what: string, instead: string];

const BUILD: Missing = ['build images', 'build elsewhere, then docker load the image or docker pull it'];
const PLUGINS: Missing = ['manage plugins', 'use the drivers that are built in'];
const SWARM: Missing = ['make or join a swarm', 'run single containers'];
const NETWORKS: Missing = ['make networks', 'use the default bridge, or --network container:NAME'];
const COMMIT: Missing = ['make an image of a container (docker commit)', 'use docker load or docker import'];

const PLAIN = {
  imagePush: ['push images (docker push)', 'docker save the image and push the archive with another tool'],
  distributionInspect: ['look up images in registries', 'docker pull the image and inspect it'],
  build: BUILD,
  buildCancel: BUILD,
  session: BUILD,
  pluginPrivileges: PLUGINS,
  pluginPull: PLUGINS,
  pluginCreate: PLUGINS,
  swarmInit: SWARM,
  swarmJoin: SWARM,
  debug: ['profile itself', 'start the daemon with --debug and read its log'],
} as const satisfies Partial<Record<RouteId, Missing>>;

/** Calls about a container; a missing one is reported first, as Docker does. */
const OF_CONTAINER = {
  containerStats: ['show statistics (docker stats)', "use docker top, or read the container's cgroup"],
  containerChanges: ['list changed files (docker diff)', 'look into GraphDriver.Data.UpperDir of docker inspect'],
  containerExport: ['export containers (docker export)', 'run tar in it: docker exec NAME tar -c -C / .'],
  containerUpdate: ['change containers (docker update)', 'remove it and create it again with the new settings'],
} as const satisfies Partial<Record<RouteId, Missing>>;

type TableRoute = keyof typeof PLAIN | keyof typeof OF_CONTAINER;
type OtherRoute = Extract<
  RouteId,
  'grpc' | 'containerCommit' | 'networkCreate' | 'networkConnect' | 'networkDisconnect' | `checkpoint${string}`
>;

/** The routes of this file. */
export type NotYetRoute = TableRoute | OtherRoute;

export function notYetHandlers({ engine }: ApiContext): Handlers<NotYetRoute> {
  const requireContainer = (ref: string): void => {
    if (ref === '') throw new GantryError('invalid', 'EMPTY_NAME', 'invalid name or ID supplied: ""');
    engine.containers.view(ref);
  };
  const onNetwork =
    (bodyName: 'NetworkConnectRequest' | 'NetworkDisconnectRequest'): Refusing =>
    async (x) => {
      requireContainer((await x.body(bodyName))?.Container ?? '');
      engine.networks.get(x.name);
      throw notYet(NETWORKS);
    };
  const checkpoint: Refusing = () => {
    throw new GantryError('notImplemented', 'EXPERIMENTAL', EXPERIMENTAL);
  };
  return {
    ...handlersOf(PLAIN, () => undefined),
    ...grpcHandlers(sentence(BUILD)),
    ...handlersOf(OF_CONTAINER, ({ name }) => requireContainer(name)),
    containerCommit({ query }) {
      requireContainer(query.get('container'));
      throw notYet(COMMIT);
    },
    async networkCreate(x) {
      checkNetworkName((await x.body('NetworkCreateRequest'))?.Name ?? '');
      throw notYet(NETWORKS);
    },
    networkConnect: onNetwork('NetworkConnectRequest'),
    networkDisconnect: onNetwork('NetworkDisconnectRequest'),
    checkpointList: checkpoint,
    checkpointCreate: checkpoint,
    checkpointRemove: checkpoint,
  };
}

/** @source dockerd 28.5 */
const EXPERIMENTAL =
  'This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.';

function checkNetworkName(name: string): void {
  if (name.trim() === '') throw new GantryError('invalid', 'EMPTY_NAME', 'invalid name: name is empty');
  if (!['bridge', 'host', 'none', 'default'].includes(name)) return;
  const message = `operation is not permitted on predefined ${name} network `;
  throw new GantryError('forbidden', 'PREDEFINED_NETWORK', message);
}

function handlersOf<R extends RouteId>(
  table: Readonly<Record<R, Missing>>,
  check: (x: Exchange) => void,
): Record<R, Refusing> {
  const entries = (Object.entries(table) as [R, Missing][]).map(([id, missing]): [R, Refusing] => [
    id,
    (x) => {
      check(x);
      throw notYet(missing);
    },
  ]);
  return Object.fromEntries(entries) as Record<R, Refusing>;
}

function notYet(missing: Missing): GantryError {
  return new GantryError('notImplemented', 'NOT_YET', sentence(missing));
}

function sentence([what, instead]: Missing): string {
  return `this engine cannot ${what} yet: ${instead}`;
}
