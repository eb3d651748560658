// Owns the routes of what this engine does not have: swarm, whose clients expect a fixed refusal, and plugins.

import { GantryError } from '../../lib/errors.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { notSwarmManager } from '../errors.ts';
import { type Handler, json } from '../exchange.ts';
import { LIST_KEYS, queryFilters } from './filter-keys.ts';

type AbsentRoute = Extract<
  RouteId,
  | `swarm${string}`
  | `service${string}`
  | `node${string}`
  | `task${string}`
  | `secret${string}`
  | `config${string}`
  | `plugin${string}`
>;

const noSwarm: Handler = () => {
  throw notSwarmManager();
};

const swarmLogs: Handler = ({ query }) => {
  if (query.bool('stdout') || query.bool('stderr')) throw notSwarmManager();
  throw new GantryError('system', 'NO_STREAM', 'Bad parameters: you must choose at least one stream');
};

export function absentHandlers(): Readonly<Record<AbsentRoute, Handler>> {
  return {
    swarmInspect: noSwarm,
    swarmUnlockKey: noSwarm,
    swarmLeave() {
      throw new GantryError('unavailable', 'NO_SWARM', 'This node is not part of a swarm');
    },
    serviceList: noSwarm,
    serviceInspect: noSwarm,
    serviceCreate: noSwarm,
    serviceUpdate: noSwarm,
    serviceRemove: noSwarm,
    serviceLogs: swarmLogs,
    nodeList: noSwarm,
    nodeInspect: noSwarm,
    nodeRemove: noSwarm,
    taskList: noSwarm,
    taskInspect: noSwarm,
    taskLogs: swarmLogs,
    secretList: noSwarm,
    secretInspect: noSwarm,
    secretCreate: noSwarm,
    secretRemove: noSwarm,
    configList: noSwarm,
    configInspect: noSwarm,
    configCreate: noSwarm,
    configRemove: noSwarm,
    pluginList({ query }) {
      queryFilters(query, LIST_KEYS.plugins);
      return json([]);
    },
    pluginInspect({ name }) {
      throw new GantryError('notFound', 'NO_SUCH_PLUGIN', `plugin ${JSON.stringify(name)} not found`);
    },
  };
}
