// Owns the routes of what this engine does not have: swarm, whose clients expect a fixed refusal, and plugins.

import { GantryError } from '../../lib/errors.ts';
import { parseGoInt } from '../../spec/docker/decode-query.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { notSwarmManager } from '../errors.ts';
import { type Handlers, json, type Refusing } from '../exchange.ts';
import { LIST_KEYS, queryFilters } from './filter-keys.ts';
import type { NotYetRoute } from './not-yet.ts';

type AbsentRoute = Exclude<SwarmOrPluginRoute | 'volumeUpdate', NotYetRoute>;
type SwarmOrPluginRoute = Extract<
  RouteId,
  | `swarm${string}`
  | `service${string}`
  | `node${string}`
  | `task${string}`
  | `secret${string}`
  | `config${string}`
  | `plugin${string}`
>;

const noSwarm: Refusing = () => {
  throw notSwarmManager();
};

const swarmLogs: Refusing = ({ query }) => {
  if (query.bool('stdout') || query.bool('stderr')) throw notSwarmManager();
  throw new GantryError('system', 'NO_STREAM', 'Bad parameters: you must choose at least one stream');
};

/** Docker looks at the version before it looks for the swarm. @source dockerd 28.5 */
function versioned(refusal: (version: string) => string): Refusing {
  return ({ query }) => {
    const version = query.get('version');
    if (!/^\d+$/.test(version)) throw new GantryError('invalid', 'BAD_VERSION', refusal(version));
    throw notSwarmManager();
  };
}

function goVersion(noun: string): Refusing {
  return versioned((text) => {
    const quoted = JSON.stringify(text);
    return `invalid ${noun} version '${text}': strconv.ParseUint: parsing ${quoted}: invalid syntax`;
  });
}

const noPlugin: Refusing = ({ name }) => {
  throw new GantryError('notFound', 'NO_SUCH_PLUGIN', `plugin ${JSON.stringify(name)} not found`);
};

export function absentHandlers(): Handlers<AbsentRoute> {
  return {
    swarmInspect: noSwarm,
    swarmUnlockKey: noSwarm,
    swarmUpdate: goVersion('swarm'),
    swarmUnlock: noSwarm,
    swarmLeave() {
      throw new GantryError('unavailable', 'NO_SWARM', 'This node is not part of a swarm');
    },
    serviceList: noSwarm,
    serviceInspect: noSwarm,
    serviceCreate: noSwarm,
    serviceUpdate: goVersion('service'),
    serviceRemove: noSwarm,
    serviceLogs: swarmLogs,
    nodeList: noSwarm,
    nodeInspect: noSwarm,
    nodeRemove: noSwarm,
    nodeUpdate: goVersion('node'),
    taskList: noSwarm,
    taskInspect: noSwarm,
    taskLogs: swarmLogs,
    secretList: noSwarm,
    secretInspect: noSwarm,
    secretCreate: noSwarm,
    secretRemove: noSwarm,
    secretUpdate: versioned(() => 'invalid secret version'),
    configList: noSwarm,
    configInspect: noSwarm,
    configCreate: noSwarm,
    configRemove: noSwarm,
    configUpdate: versioned(() => 'invalid config version'),
    volumeUpdate() {
      const message = 'volume update only valid for cluster volumes, but swarm is unavailable';
      throw new GantryError('unavailable', 'NO_SWARM', message);
    },
    pluginList({ query }) {
      queryFilters(query, LIST_KEYS.plugins);
      return json([]);
    },
    pluginInspect: noPlugin,
    pluginEnable(x) {
      parseGoInt(x.query.get('timeout'));
      return noPlugin(x);
    },
    pluginDisable: noPlugin,
    pluginPush: noPlugin,
    pluginUpgrade: noPlugin,
    pluginSet: noPlugin,
    pluginRemove: noPlugin,
  };
}
