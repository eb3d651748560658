// Owns the making of the network capability: records, endpoints by container, events. The bridge itself is in bridge-network.ts.

import { BRIDGE_ALIAS } from '../../host/netlink/links.ts';
import { messageOf } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import type { Database } from '../../store/database.ts';
import type { Events } from '../events/types.ts';
import { formatSubnet, parseCidr } from './addresses.ts';
import { BridgeNetwork } from './bridge-network.ts';
import { type NetworkDoors, realDoors } from './doors.ts';
import { alreadyConnected, networkInUse } from './errors.ts';
import { type NetworkRecords, openNetworkRecords } from './records.ts';
import type { ConnectRequest, Endpoint, NetworkRecord, Networks, NetworksOptions } from './types.ts';

export { DEFAULT_ADDRESS_POOLS } from './addresses.ts';
export {
  hostnameFile,
  hostsFile,
  readHostResolvConf,
  resolvConf,
} from './files.ts';
export { endpointSchema } from './record-json.ts';
export type * from './types.ts';

/** What the capability needs. */
export interface NetworksDeps {
  readonly database: Database;
  readonly publish: Events['publish'];
  readonly options: NetworksOptions;
  /** Failures that no caller waits for. */
  readonly log?: ((message: string) => void) | undefined;
  /** The host; left out, the real one. */
  readonly doors?: NetworkDoors | undefined;
}

/** What events say of a network. */
type Announced = Pick<NetworkRecord, 'id' | 'name' | 'driver'>;

/** The network capability. Touches no kernel state before `recover` or the first `connect`. */
export function createNetworks({ database, publish, options, log = () => {}, doors }: NetworksDeps): Networks {
  const host = doors ?? realDoors(options.instance, options.iptables);
  const records = openNetworkRecords(database, options);
  return new NetworksOf(records, new BridgeNetwork(options, host, log), host, options, publish, log);
}

class NetworksOf implements Networks {
  readonly #records: NetworkRecords;
  readonly #bridge: BridgeNetwork;
  readonly #doors: NetworkDoors;
  readonly #options: NetworksOptions;
  readonly #publish: Events['publish'];
  readonly #log: (message: string) => void;
  /** By container id, in the order of connecting. */
  readonly #endpoints = new Map<string, Endpoint[]>();

  constructor(
    records: NetworkRecords,
    bridge: BridgeNetwork,
    doors: NetworkDoors,
    options: NetworksOptions,
    publish: Events['publish'],
    log: (message: string) => void,
  ) {
    this.#records = records;
    this.#bridge = bridge;
    this.#doors = doors;
    this.#options = options;
    this.#publish = publish;
    this.#log = log;
  }

  get(ref: string): NetworkRecord {
    return this.#records.get(ref);
  }

  list(): readonly NetworkRecord[] {
    return this.#records.list();
  }

  endpointsOf(networkId: string): readonly (Endpoint & { readonly containerId: string })[] {
    return [...this.#endpoints].flatMap(([containerId, endpoints]) =>
      endpoints
        .filter((endpoint) => endpoint.networkId === networkId)
        .map((endpoint) => ({ ...endpoint, containerId })),
    );
  }

  async connect(request: ConnectRequest): Promise<Endpoint> {
    const record = this.#records.get(request.network);
    this.#refuseSecond(request.containerId, record);
    if (record.driver !== 'bridge') return this.#settle(request.containerId, record, bareEndpoint(record));
    await this.#start(record);
    this.#refuseSecond(request.containerId, record);
    return this.#settle(request.containerId, record, await this.#bridge.plug(record, request));
  }

  async disconnect(containerId: string): Promise<void> {
    const endpoints = this.#endpoints.get(containerId) ?? [];
    this.#endpoints.delete(containerId);
    for (const endpoint of endpoints) {
      await this.#bridge.unplug(endpoint.endpointId);
      this.#announce('disconnect', containerId, this.#networkOf(endpoint));
    }
  }

  async recover(alive: readonly { readonly containerId: string; readonly endpoint: Endpoint }[]): Promise<void> {
    for (const { containerId, endpoint } of alive) this.#note(containerId, endpoint);
    const record = this.list().find(({ driver }) => driver === 'bridge');
    if (!record) return;
    this.#bridge.adopt(alive.filter(({ endpoint }) => endpoint.networkId === record.id));
    try {
      await this.#start(record);
      await this.#bridge.clearStale();
    } catch (error) {
      this.#log(`network ${record.name} is not ready: ${messageOf(error)}`);
    }
  }

  warnings(): readonly string[] {
    try {
      return this.#doors.firewall.warnings();
    } catch (error) {
      return [`WARNING: the firewall cannot be read: ${messageOf(error)}`];
    }
  }

  async close(): Promise<void> {
    await this.#bridge.close();
    this.#doors.firewall[Symbol.dispose]();
  }

  async teardown(): Promise<void> {
    if (!this.#bridge.isEmpty) throw networkInUse(this.#options.bridgeName);
    await this.#bridge.remove(BRIDGE_ALIAS);
  }

  async #start(record: NetworkRecord): Promise<void> {
    const [known] = record.ipam;
    const earlier = known?.gateway && `${known.gateway}/${known.subnet.split('/')[1]}`;
    const { address, subnet } = parseCidr(await this.#bridge.start(earlier));
    if (known?.gateway === address && known.subnet === formatSubnet(subnet)) return;
    this.#records.put({ ...record, ipam: [{ subnet: formatSubnet(subnet), gateway: address }] });
  }

  #refuseSecond(containerId: string, { id, name }: NetworkRecord): void {
    const known = this.#endpoints.get(containerId)?.some(({ networkId }) => networkId === id);
    if (known) throw alreadyConnected(containerId, name);
  }

  #settle(containerId: string, record: NetworkRecord, endpoint: Endpoint): Endpoint {
    this.#note(containerId, endpoint);
    this.#announce('connect', containerId, record);
    return endpoint;
  }

  #note(containerId: string, endpoint: Endpoint): void {
    const endpoints = this.#endpoints.get(containerId) ?? [];
    this.#endpoints.set(containerId, [...endpoints, endpoint]);
  }

  /** A daemon without the default bridge may have taken over containers that are on it. */
  #networkOf({ networkId, networkName }: Endpoint): Announced {
    const record = this.list().find(({ id }) => id === networkId);
    return record ?? { id: networkId, name: networkName, driver: 'bridge' };
  }

  #announce(action: 'connect' | 'disconnect', containerId: string, { id, name, driver }: Announced): void {
    const attributes = { container: containerId, name, type: driver };
    this.#publish({ type: 'network', action, actorId: id, attributes });
  }
}

/** What a container on `host` or `none` has: a place in the record, nothing on the wire. */
function bareEndpoint({ id, name }: NetworkRecord): Endpoint {
  const nothing = { ipAddress: '', prefixLength: 0, gateway: '', macAddress: '', ports: [] };
  return { endpointId: randomId(), networkId: id, networkName: name, ...nothing };
}
