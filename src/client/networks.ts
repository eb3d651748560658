// Owns the network calls of the Engine API.
import type {
  EndpointSettings,
  Network,
  NetworkCreateRequest,
  NetworkCreateResponse,
} from '../spec/docker/types.gen.ts';
import { encode } from './call.ts';
import { type Filters, filtersText } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** Methods by network name or id. */
export type NetworksClient = ReturnType<typeof createNetworksClient>;

/** The network calls over `transport`. */
export function createNetworksClient(transport: Transport) {
  return {
    list: (filters?: Filters): Promise<Network[]> =>
      transport.json({ method: 'GET', path: '/networks', query: { filters: filtersText(filters) } }),
    /** The answer's text as the daemon wrote it, for showing without loss. */
    inspectText: (name: string, options: { readonly verbose?: boolean } = {}): Promise<string> =>
      transport.text({
        method: 'GET',
        path: `/networks/${encode(name)}`,
        query: { verbose: options.verbose ? 'true' : undefined },
      }),
    create: (body: NetworkCreateRequest): Promise<NetworkCreateResponse> =>
      transport.json({ method: 'POST', path: '/networks/create', body }),
    remove: (name: string): Promise<void> => transport.done({ method: 'DELETE', path: `/networks/${encode(name)}` }),
    connect: (name: string, container: string, endpoint: EndpointSettings): Promise<void> =>
      transport.done({
        method: 'POST',
        path: `/networks/${encode(name)}/connect`,
        body: { Container: container, EndpointConfig: endpoint },
      }),
    disconnect: (name: string, container: string, force: boolean): Promise<void> =>
      transport.done({
        method: 'POST',
        path: `/networks/${encode(name)}/disconnect`,
        body: { Container: container, Force: force },
      }),
    prune: (filters?: Filters): Promise<{ readonly NetworksDeleted?: readonly string[] | null }> =>
      transport.json({ method: 'POST', path: '/networks/prune', query: { filters: filtersText(filters) } }),
  };
}
