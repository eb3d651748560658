// A fake of the network capability as containers use it: endpoints in memory, steps noted, failures on demand.

import { GantryError } from '../../../lib/errors.ts';
import type { ConnectRequest, Endpoint, NetworkRecord, Networks } from '../../networks/types.ts';

const network = (name: 'bridge' | 'host' | 'none'): NetworkRecord => ({
  id: `${name}-id`,
  name,
  driver: name === 'none' ? 'null' : name,
  created: '',
  internal: false,
  enableIPv6: false,
  labels: {},
  options: {},
  ipam: name === 'bridge' ? [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }] : [],
  bridgeName: '',
});

export class FakeNetworks implements Networks {
  readonly failures = new Map<'connect' | 'disconnect', Error>();
  readonly requests: ConnectRequest[] = [];
  /** Containers that are attached now. */
  readonly attached = new Map<string, Endpoint[]>();
  recovered: readonly string[] = [];
  /** Awaited by each connect, after the name of its network was noted. */
  gate: Promise<void> = Promise.resolve();
  readonly #note: (step: string) => void;

  constructor(note: (step: string) => void) {
    this.#note = note;
  }

  get(ref: string): NetworkRecord {
    const found = this.list().find(({ id, name }) => id === ref || name === ref);
    if (!found) throw new GantryError('notFound', 'NETWORK_NOT_FOUND', `network ${ref} not found`);
    return found;
  }

  list(): readonly NetworkRecord[] {
    return (['bridge', 'host', 'none'] as const).map(network);
  }

  endpointsOf(): readonly (Endpoint & { readonly containerId: string })[] {
    return [...this.attached].flatMap(([containerId, all]) => all.map((endpoint) => ({ ...endpoint, containerId })));
  }

  async connect(request: ConnectRequest): Promise<Endpoint> {
    this.requests.push(request);
    this.#note(`connect ${request.network}`);
    const { id, name } = this.get(request.network);
    await this.gate;
    const failure = this.failures.get('connect');
    if (failure) throw failure;
    const endpoint: Endpoint = {
      endpointId: `${request.containerId.slice(0, 8)}-${name}`,
      networkId: id,
      networkName: name,
      ipAddress: name === 'bridge' ? '172.17.0.2' : '',
      prefixLength: 16,
      gateway: name === 'bridge' ? '172.17.0.1' : '',
      macAddress: request.macAddress ?? '',
      ports: [],
    };
    this.attached.set(request.containerId, [...(this.attached.get(request.containerId) ?? []), endpoint]);
    return endpoint;
  }

  async disconnect(containerId: string): Promise<void> {
    this.#note('disconnect');
    const failure = this.failures.get('disconnect');
    if (failure) throw failure;
    this.attached.delete(containerId);
  }

  async recover(alive: readonly { readonly containerId: string; readonly endpoint: Endpoint }[]): Promise<void> {
    this.#note('recover-networks');
    this.recovered = alive.map(({ containerId, endpoint }) => `${containerId} ${endpoint.networkName}`);
  }

  warnings(): readonly string[] {
    return [];
  }

  async close(): Promise<void> {}

  async teardown(): Promise<void> {}
}
