// Owns the network calls of the Engine API.
import type {
  EndpointSettings,
  Network,
  NetworkCreateRequest,
  NetworkCreateResponse,
} from '../spec/docker/types.gen.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** Methods by network name or id. */
export type NetworksClient = ReturnType<typeof createNetworksClient>;

/** The network calls over `transport`. */
export function createNetworksClient(transport: Transport) {
  return {
    list: (filters?: Filters): Promise<readonly Network[]> =>
      transport.json({ route: 'networkList', query: { filters: filtersText(filters) } }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (name: string, options: { readonly verbose?: boolean } = {}): Promise<string> =>
      transport.text({
        route: 'networkInspect',
        name: name,
        query: { verbose: options.verbose ? 'true' : undefined },
      }),
    create: (body: NetworkCreateRequest): Promise<NetworkCreateResponse> =>
      transport.json({ route: 'networkCreate', body }),
    remove: (name: string): Promise<void> => transport.done({ route: 'networkRemove', name: name }),
    connect: (name: string, container: string, endpoint: EndpointSettings): Promise<void> =>
      transport.done({
        route: 'networkConnect',
        name: name,
        body: { Container: container, EndpointConfig: endpoint },
      }),
    disconnect: (name: string, container: string, force: boolean): Promise<void> =>
      transport.done({
        route: 'networkDisconnect',
        name: name,
        body: { Container: container, Force: force },
      }),
    prune: (filters?: Filters): Promise<{ readonly NetworksDeleted?: readonly string[] | null }> =>
      transport.json({ route: 'networkPrune', query: { filters: filtersText(filters) } }),
  };
}
