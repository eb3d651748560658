// Owns the shapes of the network capability: its face, records and inputs. No behaviour.

/** One network. This slice has the three predefined ones; user networks come on the same record. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  /** RFC 3339. */
  readonly created: string;
  readonly internal: boolean;
  readonly enableIPv6: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly ipam: readonly { readonly subnet: string; readonly gateway?: string | undefined }[];
  /** Kernel name of the bridge; '' for host and none. */
  readonly bridgeName: string;
}

export type PortProtocol = 'tcp' | 'udp' | 'sctp';

/** A request to publish one container port. Ranges were expanded by the caller except `hostPorts`. */
export interface PortRequest {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  /** '' = every IPv4 and IPv6 address of the host. */
  readonly hostIp: string;
  /** First free port of this inclusive range is taken; undefined = any ephemeral port. */
  readonly hostPorts?: { readonly first: number; readonly last: number } | undefined;
}

/** A published port as it is now. One request without hostIp yields an IPv4 and, where the host has IPv6, an IPv6 one. */
export interface PublishedPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** A container's attachment to one network, as inspect shows it. */
export interface Endpoint {
  readonly endpointId: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly macAddress: string;
  readonly ports: readonly PublishedPort[];
}

export interface ConnectRequest {
  readonly containerId: string;
  /** For messages: with it, a port that cannot be published is reported in dockerd's whole sentence. */
  readonly containerName?: string | undefined;
  /** Name or id. */
  readonly network: string;
  /** Any process in the container's network namespace. Its `lo` is up; nothing else is there. */
  readonly pid: number;
  readonly macAddress?: string | undefined;
  readonly ports: readonly PortRequest[];
}

/** The network capability. `ref` is a name, an id or a unique id prefix. */
export interface Networks {
  get(ref: string): NetworkRecord;
  list(): readonly NetworkRecord[];
  /** Endpoints now on a network, by container id. */
  endpointsOf(networkId: string): readonly (Endpoint & { readonly containerId: string })[];
  /**
   * Plugs a running namespace into a network: address, veth, routes, published ports.
   * On host and none nothing is plugged: the endpoint is a record without address, `ports` are ignored.
   * @throws NETWORK_NOT_FOUND `network X not found`; PORT_TAKEN, PORTS_EXHAUSTED, NO_FREE_ADDRESS with Docker's texts;
   * ALREADY_CONNECTED; NAMESPACE_GONE when no process `pid` is there; NFT_MISSING; NETWORK_FAILED when the kernel refuses.
   */
  connect(request: ConnectRequest): Promise<Endpoint>;
  /**
   * Takes the container's endpoints away with ports and addresses; absent is fine. Free at once for others to use; the
   * links go in the background (they die with their namespace by themselves).
   */
  disconnect(containerId: string): Promise<void>;
  /**
   * To be called once, before the first connect: adopts what still runs after a daemon restart (its traffic went on),
   * binds its host ports again, clears what no longer runs, and brings the bridge and the rules up. What fails is logged.
   */
  recover(alive: readonly { readonly containerId: string; readonly endpoint: Endpoint }[]): Promise<void>;
  /** One line each, for `info`: what on this host stands in the way of containers' traffic. Takes a few ms. */
  warnings(): readonly string[];
  /** Lets go of sockets; links and rules stay, and containers stay reachable. For the end of the daemon. */
  close(): Promise<void>;
  /**
   * Removes bridge, links and rules of this instance, also those of a daemon that died. For uninstall and tests.
   * @throws NETWORK_IN_USE when a container is attached
   */
  teardown(): Promise<void>;
}

export interface NetworksOptions {
  /** Default `gantry0`; 'none' disables the default bridge. */
  readonly bridgeName: string;
  /** CIDR of the bridge's own address, e.g. `172.17.0.1/16`; undefined = first free pool. */
  readonly bip?: string | undefined;
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  /** Unique per daemon: names the nftables table, so that several daemons live side by side. */
  readonly instance: string;
  readonly userlandProxy: boolean;
  /** Of the default bridge and its links; default 1500. */
  readonly mtu?: number | undefined;
  /** Containers of the default bridge reach each other; default true. */
  readonly icc?: boolean | undefined;
  /** What leaves the host bears the host's address; default true. */
  readonly ipMasq?: boolean | undefined;
  /** Turn the host's IPv4 forwarding on; default true. */
  readonly ipForward?: boolean | undefined;
  /** Write firewall rules; default true. */
  readonly iptables?: boolean | undefined;
  /** Where ports are published that name no address; '' or `0.0.0.0` = everywhere. */
  readonly hostIp?: string | undefined;
}
