// Owns the network capability on a fake host, for its tests.

import { type Database, openDatabase } from '../../../store/database.ts';
import type { EngineEvent } from '../../events/types.ts';
import { DEFAULT_ADDRESS_POOLS } from '../addresses.ts';
import { createNetworks } from '../index.ts';
import type { ConnectRequest, Endpoint, Networks, NetworksOptions, PortRequest } from '../types.ts';
import { FakeHost } from './fake-host.ts';

/** The capability and all around it. */
export interface NetworkBench {
  readonly host: FakeHost;
  readonly networks: Networks;
  readonly db: Database;
  readonly logs: string[];
  /** `<action> <network> <container>`, in order. */
  readonly events: string[];
  /** Connects a container to the bridge; its process, 1, is there. */
  connect(containerId: string, request?: Partial<ConnectRequest>): Promise<Endpoint>;
}

/** A subnet with room for five containers: 10.0.0.2 to 10.0.0.6. */
const OPTIONS: NetworksOptions = {
  bridgeName: 'gantry0',
  bip: '10.0.0.1/29',
  addressPools: DEFAULT_ADDRESS_POOLS,
  instance: 'x',
  userlandProxy: true,
};

/** A daemon; given the host and records of another, the one that comes after it. */
export function networkBench(
  options: Partial<NetworksOptions> = {},
  { host, db }: { readonly host: FakeHost; readonly db: Database } = {
    host: new FakeHost(),
    db: openDatabase(':memory:'),
  },
): NetworkBench {
  host.processes.add(1);
  const [events, logs]: [string[], string[]] = [[], []];
  const publish = ({ type, action, attributes }: Omit<EngineEvent, 'timeNano'>): void => {
    events.push(`${type} ${action} ${attributes.name} ${attributes.type} ${attributes.container}`);
  };
  const log = (message: string): void => void logs.push(message);
  const networks = createNetworks({ database: db, publish, options: { ...OPTIONS, ...options }, log, doors: host });
  const connect = (containerId: string, request: Partial<ConnectRequest> = {}): Promise<Endpoint> =>
    networks.connect({ containerId, containerName: containerId, network: 'bridge', pid: 1, ports: [], ...request });
  return { host, networks, db, logs, events, connect };
}

/** A TCP port to publish on every IPv4 address. */
export function tcpPort(containerPort: number, hostPort: number): PortRequest {
  return { containerPort, protocol: 'tcp', hostIp: '0.0.0.0', hostPorts: { first: hostPort, last: hostPort } };
}
