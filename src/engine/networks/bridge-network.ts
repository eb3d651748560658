// Owns the default bridge at work: its addresses, links, published ports and rules. Knows no record and no event.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Firewall, PortMapping } from '../../host/firewall/firewall.ts';
import { bindFailureText, type HostPortWish } from '../../host/firewall/host-port.ts';
import { SystemError } from '../../host/libc.ts';
import type { Bridge, Links } from '../../host/netlink/links.ts';
import { GantryError, isGantryError, messageOf } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { AddressPool, formatSubnet } from './addresses.ts';
import { type BridgePlan, planBridge } from './bridge-plan.ts';
import { badMacAddress, noFreeAddress, plugFailed, proxyNeeded, publishFailed } from './errors.ts';
import { type Allocated, type Bind, inOrderOfNeed, PortTable } from './ports.ts';
import { LinkReaper } from './reaper.ts';
import type { ConnectRequest, Endpoint, NetworkRecord, NetworksOptions, PublishedPort } from './types.ts';

const MTU = 1500;

/** The host as this capability needs it. */
export interface NetworkDoors {
  readonly links: Links;
  readonly firewall: Firewall;
  readonly openHostPort: (wish: HostPortWish) => Disposable;
  /** `net/<key>` of the host's kernel settings. */
  readonly setSysctl: (key: string, value: string) => void;
  readonly ephemeralPorts: () => { first: number; last: number };
  readonly hasIPv6: () => boolean;
}

/** An endpoint with what it holds on the host. */
interface Attachment {
  readonly endpoint: Endpoint;
  readonly sockets: Disposable[];
}

interface Running {
  readonly bridge: Bridge;
  readonly plan: BridgePlan;
  readonly addresses: AddressPool;
}

/** One bridge with its containers. All but starting and repairing is synchronous, so calls never interleave. */
export class BridgeNetwork {
  readonly #options: NetworksOptions;
  readonly #doors: NetworkDoors;
  readonly #log: (message: string) => void;
  readonly #ports: PortTable;
  readonly #reaper: LinkReaper;
  /** By endpoint id. */
  readonly #attached = new Map<string, Attachment>();
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;

  constructor(options: NetworksOptions, doors: NetworkDoors, log: (message: string) => void) {
    this.#options = options;
    this.#doors = doors;
    this.#log = log;
    this.#ports = new PortTable(doors.ephemeralPorts);
    this.#reaper = new LinkReaper(doors.links, log);
  }

  /**
   * Brings bridge and rules up once. `earlier`: the CIDR it had. @returns the CIDR it has.
   * @throws INVALID_CIDR, NO_FREE_SUBNET, NFT_MISSING, NFT_FAILED, NETWORK_FAILED
   */
  async start(earlier: string | undefined): Promise<string> {
    this.#starting ??= this.#start(earlier);
    try {
      this.#running = await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
    const { plan } = this.#running;
    return `${plan.gateway}/${plan.subnet.prefixLength}`;
  }

  /** Plugs a namespace in. @throws NO_FREE_ADDRESS, PORT_TAKEN, PORTS_EXHAUSTED, NAMESPACE_GONE, NETWORK_FAILED */
  async plug(record: NetworkRecord, request: ConnectRequest): Promise<Endpoint> {
    const running = this.#mustRun();
    await using undo = new AsyncDisposableStack();
    const endpointId = randomId();
    const macAddress = request.macAddress === undefined ? randomMac() : checkedMac(request.macAddress);
    const ipAddress = running.addresses.allocate();
    if (ipAddress === undefined) throw noFreeAddress(record);
    undo.defer(() => running.addresses.release(ipAddress));
    const allocated: Allocated[] = [];
    undo.defer(() => this.#giveBack(allocated));
    this.#allocate(request, ipAddress, endpointId, allocated);
    const { gateway, subnet } = running.plan;
    const endpoint: Endpoint = {
      endpointId,
      networkId: record.id,
      networkName: record.name,
      ipAddress,
      prefixLength: subnet.prefixLength,
      gateway,
      macAddress,
      ports: inRequestedOrder(request, allocated),
    };
    this.#plugLink(endpoint, request.pid, running);
    undo.defer(() => this.#reaper.add(linkName(endpoint)));
    this.#attached.set(endpointId, { endpoint, sockets: allocated.map(({ socket }) => socket) });
    undo.defer(() => void this.#attached.delete(endpointId));
    if (!this.#doors.firewall.publish(mappings(endpoint))) await this.#replaceRules(running);
    undo.move();
    return endpoint;
  }

  /** Frees all of an endpoint at once; its link passes nothing more and goes in the background. Unknown ids are fine. */
  unplug(endpointId: string): void {
    const attachment = this.#attached.get(endpointId);
    if (!attachment) return;
    this.#attached.delete(endpointId);
    const { endpoint, sockets } = attachment;
    const acts = [
      () => this.#doors.firewall.unpublish(mappings(endpoint)),
      () => this.#doors.links.mute(linkName(endpoint)),
      ...sockets.map((socket) => () => socket[Symbol.dispose]()),
    ];
    for (const act of acts) this.#attempt(act, `leaving the network: ${endpoint.ipAddress}`);
    this.#reaper.add(linkName(endpoint));
    for (const published of endpoint.ports) this.#ports.release(published);
    this.#running?.addresses.release(endpoint.ipAddress);
  }

  /** Takes over endpoints that live, before `start`. Host ports that another program took meanwhile are logged. */
  adopt(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) {
      const sockets: Disposable[] = [];
      for (const published of endpoint.ports) {
        this.#ports.adopt(published);
        const what = `host port ${published.hostIp}:${published.hostPort}/${published.protocol} cannot be held`;
        this.#attempt(() => sockets.push(this.#open(published, endpoint.ipAddress)), what);
      }
      this.#attached.set(endpoint.endpointId, { endpoint, sockets });
    }
  }

  /** After `start`: removes links of endpoints that nobody adopted, and puts adopted ones that fell off back on the bridge. */
  async clearStale(): Promise<void> {
    const { bridge } = this.#mustRun();
    const links = this.#doors.links.list();
    const ours = new Set([...this.#attached.values()].map(({ endpoint }) => linkName(endpoint)));
    const fallen = links.filter(({ name, master }) => ours.has(name) && master !== bridge.index);
    this.#doors.links.enslave(
      fallen.map(({ name }) => name),
      bridge,
    );
    const stale = links.filter(
      ({ name, master, kind }) => master === bridge.index && kind === 'veth' && !ours.has(name),
    );
    await this.#doors.links.remove(stale.map(({ name }) => name));
  }

  get isEmpty(): boolean {
    return this.#attached.size === 0;
  }

  /** Frees sockets; links and rules stay. */
  async close(): Promise<void> {
    await this.#starting?.catch(() => {});
    for (const { sockets } of this.#attached.values()) for (const socket of sockets) socket[Symbol.dispose]();
    await this.#reaper.flush();
  }

  /** Removes links, bridge (if this engine made it) and rules of this instance, whoever left them. */
  async remove(bridgeAlias: string): Promise<void> {
    await this.close();
    const links = this.#doors.links.list();
    const bridge = links.find(({ name, kind }) => name === this.#options.bridgeName && kind === 'bridge');
    if (bridge) {
      const ports = links.filter(({ master, kind }) => master === bridge.index && kind === 'veth');
      await this.#doors.links.remove(ports.map(({ name }) => name));
      if (bridge.alias === bridgeAlias) await this.#doors.links.remove([bridge.name]);
    }
    await this.#doors.firewall.remove();
    this.#starting = undefined;
    this.#running = undefined;
  }

  async #start(earlier: string | undefined): Promise<Running> {
    const { links, setSysctl } = this.#doors;
    const facts = { links: links.list(), addresses: links.addresses(), routes: links.routes() };
    const plan = planBridge(this.#options, earlier, facts);
    const running = { plan, bridge: this.#raiseBridge(plan), addresses: new AddressPool(plan.subnet, [plan.gateway]) };
    setSysctl('ipv4/ip_forward', '1');
    for (const { endpoint } of this.#attached.values()) running.addresses.adopt(endpoint.ipAddress);
    await this.#replaceRules(running);
    return running;
  }

  #raiseBridge({ gateway, subnet }: BridgePlan): Bridge {
    const name = this.#options.bridgeName;
    try {
      const { prefixLength } = subnet;
      return this.#doors.links.ensureBridge({ name, mac: randomMac(), mtu: MTU, address: gateway, prefixLength });
    } catch (cause) {
      const message = `cannot set up the bridge ${name}: ${messageOf(cause)}`;
      throw new GantryError('system', 'NETWORK_FAILED', message, { cause, params: { bridge: name } });
    }
  }

  #replaceRules({ plan }: Running): Promise<void> {
    const rules = { bridge: this.#options.bridgeName, subnet: formatSubnet(plan.subnet), gateway: plan.gateway };
    const ports = [...this.#attached.values()].flatMap(({ endpoint }) => mappings(endpoint));
    return this.#doors.firewall.replace([rules], ports);
  }

  #plugLink(endpoint: Endpoint, pid: number, { bridge }: Running): void {
    const { macAddress: mac, ipAddress: address, prefixLength, gateway } = endpoint;
    const hairpin = endpoint.ports.length > 0;
    try {
      const place = { bridge, linkName: linkName(endpoint), pid, mtu: MTU };
      this.#doors.links.plug({ ...place, mac, address, prefixLength, gateway, hairpin });
    } catch (error) {
      throw plugFailed(error, pid);
    }
  }

  #allocate(request: ConnectRequest, address: string, endpointId: string, into: Allocated[]): void {
    const bind: Bind = (published) => {
      try {
        return { socket: this.#open(published, address) };
      } catch (error) {
        if (!(error instanceof SystemError)) throw error;
        return { reason: bindFailureText(error), inUse: error.code === 'EADDRINUSE' };
      }
    };
    try {
      for (const wish of inOrderOfNeed(request.ports)) {
        const addresses = this.#hostAddresses(wish.hostIp, wish.containerPort);
        this.#ports.allocate({ request: wish, addresses, containerAddress: address }, bind, into);
      }
    } catch (error) {
      throw isGantryError(error) ? publishFailed(error, { name: request.containerName, id: endpointId }) : error;
    }
  }

  #hostAddresses(hostIp: string, containerPort: number): string[] {
    const proxied = this.#options.userlandProxy;
    if (hostIp === '') return proxied && this.#doors.hasIPv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
    if (hostIp.includes(':') && !proxied) throw proxyNeeded(hostIp, containerPort);
    return [hostIp];
  }

  #open({ protocol, hostIp, hostPort, containerPort }: PublishedPort, address: string): Disposable {
    const forwardTo = this.#options.userlandProxy ? { address, port: containerPort } : undefined;
    return this.#doors.openHostPort({ protocol, hostIp, hostPort, forwardTo });
  }

  #giveBack(allocated: readonly Allocated[]): void {
    for (const { published, socket } of allocated) {
      this.#ports.release(published);
      socket[Symbol.dispose]();
    }
  }

  #attempt(act: () => unknown, what: string): void {
    try {
      act();
    } catch (error) {
      this.#log(`${what}: ${messageOf(error)}`);
    }
  }

  #mustRun(): Running {
    if (!this.#running) throw new Error('the bridge was not started');
    return this.#running;
  }
}

/** The host end's name: `veth` and the endpoint's first digits, as Docker's look. */
function linkName({ endpointId }: Endpoint): string {
  return `veth${endpointId.slice(0, 8)}`;
}

function mappings({ ipAddress, ports }: Endpoint): PortMapping[] {
  return ports
    .filter(({ hostIp }) => !hostIp.includes(':'))
    .map(({ hostIp, hostPort, protocol, containerPort }) => ({
      hostIp,
      hostPort,
      protocol,
      address: ipAddress,
      port: containerPort,
    }));
}

function inRequestedOrder({ ports }: ConnectRequest, allocated: readonly Allocated[]): PublishedPort[] {
  const place = ({ containerPort, protocol }: PublishedPort): number =>
    ports.findIndex((wish) => wish.containerPort === containerPort && wish.protocol === protocol);
  return allocated.map(({ published }) => published).toSorted((a, b) => place(a) - place(b));
}

/** Locally administered, unicast. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function checkedMac(mac: string): string {
  const text = mac.toLowerCase().replaceAll('-', ':');
  const unicast = (Number.parseInt(text.slice(0, 2), 16) & 1) === 0;
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text) || !unicast) throw badMacAddress(mac);
  return text;
}

/** The range that the kernel takes ephemeral ports from. */
export function ephemeralPorts(): { first: number; last: number } {
  const [first = 49_153, last = 65_535] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .filter(Boolean)
    .map(Number);
  return { first, last };
}

/** True when the host's IPv6 is on. */
export function hasIPv6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8') !== '';
  } catch {
    return false;
  }
}
