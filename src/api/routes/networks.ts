// Owns the network routes: list, inspect, and what prune and remove say of networks that cannot go. Changes nothing.

import type { NetworkRecord } from '../../engine/networks/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { goQuote } from '../../spec/docker/decode-query.ts';
import { type Filters, matchesLabels, matchesPattern } from '../../spec/docker/filters.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import type { ApiContext } from '../context.ts';
import { type Handler, type Handlers, json } from '../exchange.ts';
import { type NamedEndpoint, networkView } from '../views/network.ts';
import { LIST_KEYS, PRUNE_KEYS, queryFilters, requireMoments } from './filter-keys.ts';

const PREDEFINED: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

type NetworkRoute = Extract<
  RouteId,
  'networkList' | 'networkListSlash' | 'networkInspect' | 'networkPrune' | 'networkRemove'
>;

export function networkHandlers({ engine }: ApiContext): Handlers<NetworkRoute> {
  const { networks } = engine;
  const list: Handler<'networkList'> = ({ query, minor }) => {
    const matches = networkMatcher(
      queryFilters(query, LIST_KEYS.networks),
      (id) => networks.endpointsOf(id).length > 0,
    );
    return json(
      networks
        .list()
        .filter(matches)
        // Members were listed until 1.28, and are shown by inspect since.
        .map((network) => networkView(network, minor < 28 ? members(network.id) : [])),
    );
  };
  const members = (id: string): NamedEndpoint[] =>
    networks.endpointsOf(id).map((endpoint) => ({ ...endpoint, containerName: nameOf(endpoint.containerId) }));
  const nameOf = (containerId: string): string => {
    try {
      return engine.containers.view(containerId).record.name;
    } catch {
      return '';
    }
  };

  return {
    networkList: list,
    networkListSlash: (x) => list(x),
    networkInspect({ name, query }) {
      checkVerbose(query.get('verbose'));
      const scope = query.get('scope');
      if (scope !== '' && scope !== 'local') {
        throw new GantryError('notFound', 'NETWORK_NOT_FOUND', `network ${name} not found`);
      }
      const network = networks.get(name);
      return json(networkView(network, members(network.id)));
    },
    networkPrune({ query }) {
      requireMoments(queryFilters(query, PRUNE_KEYS.networks), 'invalid');
      // Predefined networks stay, and there are no others.
      return json({ NetworksDeleted: null });
    },
    networkRemove({ name }) {
      const network = networks.get(name);
      const message = `${network.name} is a pre-defined network and cannot be removed`;
      throw new GantryError('forbidden', 'PREDEFINED_NETWORK', message);
    },
  };
}

/** Swarm services would be shown; there are none. @source dockerd 28.5 */
function checkVerbose(text: string): void {
  if (text === '' || /^(?:[01]|[tTfF]|true|True|TRUE|false|False|FALSE)$/.test(text)) return;
  const message = `invalid value for verbose: ${text}: strconv.ParseBool: parsing ${goQuote(text)}: invalid syntax`;
  throw new GantryError('invalid', 'BAD_VERBOSE', message);
}

function networkMatcher(filters: Filters, inUse: (id: string) => boolean): (network: NetworkRecord) => boolean {
  const dangling = danglingOf(filters);
  const types = filters.get('type');
  const strange = types?.find((type) => type !== 'custom' && type !== 'builtin');
  if (strange !== undefined) throw new GantryError('system', 'INVALID_FILTER', `invalid filter: 'type'='${strange}'`);
  const any = (key: string, test: (values: readonly string[]) => boolean): boolean => {
    const values = filters.get(key);
    return values === undefined || values.length === 0 || test(values);
  };
  return (network) => {
    const builtin = PREDEFINED.has(network.name);
    if (dangling !== undefined && (builtin || inUse(network.id) === dangling)) return false;
    return (
      any('driver', (values) => values.includes(network.driver)) &&
      any('name', (values) => matchesPattern(network.name, values)) &&
      any('id', (values) => matchesPattern(network.id, values)) &&
      any('label', (values) => matchesLabels(network.labels, values)) &&
      any('scope', (values) => values.includes('local')) &&
      any('type', (values) => values.includes(builtin ? 'builtin' : 'custom'))
    );
  };
}

function danglingOf(filters: Filters): boolean | undefined {
  const [value] = filters.get('dangling') ?? [];
  if (value === undefined) return undefined;
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  const message = `invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`;
  throw new GantryError('invalid', 'INVALID_FILTER', message);
}
