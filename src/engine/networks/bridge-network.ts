// Owns the default bridge at work: its addresses, links, published ports and rules. Knows no record and no event.

import { setImmediate as turn } from 'node:timers/promises';
import type { Bridge } from '../../host/netlink/links.ts';
import { GantryError, isGantryError, messageOf } from '../../lib/errors.ts';
import { randomId } from '../../lib/ids.ts';
import { AddressPool, formatSubnet } from './addresses.ts';
import { type BridgePlan, planBridge } from './bridge-plan.ts';
import type { NetworkDoors } from './doors.ts';
import { noFreeAddress, plugFailed } from './errors.ts';
import { checkedMac, randomMac } from './mac.ts';
import type { Allocated } from './ports.ts';
import { mappingsOf, Publishing } from './publishing.ts';
import { Reaper } from './reaper.ts';
import type { ConnectRequest, Endpoint, NetworkRecord, NetworksOptions } from './types.ts';

const DEFAULT_MTU = 1500;
const UDP = 17;

/** An endpoint with what it holds on the host. */
interface Attachment {
  readonly containerId: string;
  readonly endpoint: Endpoint;
  readonly allocated: readonly Allocated[];
}

interface Running {
  readonly bridge: Bridge;
  readonly plan: BridgePlan;
  readonly addresses: AddressPool;
}

/** One bridge with its containers. Plugging in happens one by one; leaving may happen at any time in between. */
export class BridgeNetwork {
  readonly #options: NetworksOptions;
  readonly #doors: NetworkDoors;
  readonly #log: (message: string) => void;
  readonly #publishing: Publishing;
  readonly #reaper: Reaper;
  /** By endpoint id. */
  readonly #attached = new Map<string, Attachment>();
  #starting: Promise<Running> | undefined;
  #running: Running | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: NetworksOptions, doors: NetworkDoors, log: (message: string) => void) {
    this.#options = options;
    this.#doors = doors;
    this.#log = log;
    this.#publishing = new Publishing(doors, options);
    this.#reaper = new Reaper(
      doors,
      (address) => this.#running?.addresses.isResting(address) ?? false,
      (address) => this.#running?.addresses.free(address),
      log,
    );
  }

  /**
   * Brings bridge and rules up, once. `earlier`: the CIDR it had. @returns the CIDR it has.
   * @throws INVALID_CIDR, NO_FREE_SUBNET, NFT_MISSING, NFT_FAILED, NETWORK_FAILED
   */
  async start(earlier: string | undefined): Promise<string> {
    this.#starting ??= this.#start(earlier);
    try {
      return cidrOf(await this.#starting);
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  /** Plugs a namespace in. @throws NO_FREE_ADDRESS, PORT_TAKEN, PORTS_EXHAUSTED, NAMESPACE_GONE, NETWORK_FAILED */
  async plug(record: NetworkRecord, request: ConnectRequest): Promise<Endpoint> {
    // One by one: the kernel does no more at once, and the event loop turns in between.
    const before = this.#lastTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lastTurn = promise;
    await before;
    try {
      return await this.#plug(record, request);
    } catch (error) {
      if (!isGantryError(error) || error.code !== 'NETWORK_FAILED' || (await this.#bridgeStands())) throw error;
      await this.#rebuild();
      return await this.#plug(record, request);
    } finally {
      void turn().then(resolve);
    }
  }

  /**
   * Frees all of an endpoint at once; resolves when its ports lead nowhere. Its link goes in the background.
   * Failures are logged; unknown ids are fine.
   */
  async unplug(endpointId: string): Promise<void> {
    const attachment = this.#attached.get(endpointId);
    if (!attachment) return;
    this.#attached.delete(endpointId);
    const { containerId, endpoint, allocated } = attachment;
    const what = `${endpoint.ipAddress} leaves the network`;
    this.#publishing.giveBack(allocated);
    this.#running?.addresses.rest(endpoint.ipAddress, containerId);
    void this.#attempt(this.#doors.links.mute(linkName(endpoint)), what);
    this.#reaper.add({ linkName: linkName(endpoint), address: endpoint.ipAddress });
    await this.#attempt(this.#doors.firewall.unpublish(mappingsOf(endpoint)), what);
  }

  /** Takes over endpoints that live, before `start`. */
  adopt(alive: readonly { readonly containerId: string; readonly endpoint: Endpoint }[]): void {
    for (const { containerId, endpoint } of alive) {
      const allocated = this.#publishing.adopt(endpoint, this.#log);
      this.#attached.set(endpoint.endpointId, { containerId, endpoint, allocated });
    }
  }

  /** After `start`: removes links of endpoints that nobody adopted, and puts adopted ones that fell off back on the bridge. */
  async clearStale(): Promise<void> {
    const { bridge } = this.#mustRun();
    const links = await this.#doors.links.list();
    const ours = new Set([...this.#attached.values()].map(({ endpoint }) => linkName(endpoint)));
    const fallen = links.filter(({ name, master }) => ours.has(name) && master !== bridge.index);
    await this.#doors.links.enslave(
      fallen.map(({ name }) => name),
      bridge,
      this.#options.icc === false,
    );
    const ports = links.filter(({ master, kind }) => master === bridge.index && kind === 'veth');
    await this.#doors.links.remove(ports.map(({ name }) => name).filter((name) => !ours.has(name)));
  }

  get isEmpty(): boolean {
    return this.#attached.size === 0;
  }

  /** Frees sockets; links and rules stay. */
  async close(): Promise<void> {
    await this.#starting?.catch(() => {});
    await this.#lastTurn;
    for (const { allocated } of this.#attached.values()) this.#publishing.giveBack(allocated);
    await this.#reaper.flush();
  }

  /** Removes links, bridge (if it bears `alias`: an engine made it) and rules of this instance, whoever left them. */
  async remove(alias: string): Promise<void> {
    await this.close();
    const links = await this.#doors.links.list();
    const bridge = links.find(({ name, kind }) => name === this.#options.bridgeName && kind === 'bridge');
    if (bridge) {
      const ports = links.filter(({ master, kind }) => master === bridge.index && kind === 'veth');
      await this.#doors.links.remove(ports.map(({ name }) => name));
      if (bridge.alias === alias) await this.#doors.links.remove([bridge.name]);
    }
    await this.#doors.firewall.remove();
    this.#starting = undefined;
    this.#running = undefined;
  }

  async #start(earlier: string | undefined): Promise<Running> {
    const { plan, bridge } = await this.#settleBridge(earlier);
    const running = { plan, bridge, addresses: new AddressPool(plan.subnet, [plan.gateway]) };
    if (this.#options.ipForward !== false) this.#doors.setSysctl('ipv4/ip_forward', '1');
    const adopted = [...this.#attached.values()];
    for (const { endpoint } of adopted) running.addresses.adopt(endpoint.ipAddress);
    await this.#replaceRules(running);
    // Who left meanwhile knew of no such addresses.
    const left = adopted.filter(({ endpoint }) => !this.#attached.has(endpoint.endpointId));
    for (const { endpoint, containerId } of left) running.addresses.rest(endpoint.ipAddress, containerId);
    this.#running = running;
    return running;
  }

  /** One daemon of this host after the other: two that look at the same moment would choose the same free subnet. */
  async #settleBridge(earlier: string | undefined): Promise<{ plan: BridgePlan; bridge: Bridge }> {
    const { links, lockSubnets } = this.#doors;
    using _ = await lockSubnets();
    const [all, addresses, routes] = await Promise.all([links.list(), links.addresses(), links.routes()]);
    const plan = planBridge(this.#options, earlier, { links: all, addresses, routes });
    return { plan, bridge: await this.#raiseBridge(plan) };
  }

  async #plug(record: NetworkRecord, request: ConnectRequest): Promise<Endpoint> {
    const running = this.#mustRun();
    const { containerId, containerName } = request;
    await using undo = new AsyncDisposableStack();
    const endpointId = randomId();
    const macAddress = request.macAddress === undefined ? randomMac() : checkedMac(request.macAddress);
    const address = running.addresses.allocate(containerId);
    if (address === undefined) throw noFreeAddress(record);
    undo.defer(() => running.addresses.release(address));
    const allocated = this.#publishing.take(request.ports, { address, endpointId, containerName });
    undo.defer(() => this.#publishing.giveBack(allocated));
    const endpoint: Endpoint = {
      endpointId,
      networkId: record.id,
      networkName: record.name,
      ipAddress: address,
      prefixLength: running.plan.subnet.prefixLength,
      gateway: running.plan.gateway,
      macAddress,
      ports: allocated.map(({ published }) => published),
    };
    await this.#plugLink(endpoint, request.pid, running);
    undo.defer(() => this.#doors.links.remove([linkName(endpoint)]));
    this.#attached.set(endpointId, { containerId, endpoint, allocated });
    undo.defer(() => void this.#attached.delete(endpointId));
    const mappings = mappingsOf(endpoint);
    if (!(await this.#doors.firewall.publish(mappings))) await this.#replaceRules(running);
    undo.move();
    void this.#attempt(this.#forgetUdp(endpoint), 'ending old UDP exchanges');
    return endpoint;
  }

  async #plugLink(endpoint: Endpoint, pid: number, { bridge }: Running): Promise<void> {
    const { macAddress: mac, ipAddress: address, prefixLength, gateway } = endpoint;
    const place = {
      bridge,
      linkName: linkName(endpoint),
      pid,
      mtu: this.#options.mtu ?? DEFAULT_MTU,
      hairpin: endpoint.ports.length > 0,
      isolated: this.#options.icc === false,
    };
    try {
      await this.#doors.links.plug({ ...place, mac, address, prefixLength, gateway });
    } catch (error) {
      throw plugFailed(error, pid);
    }
  }

  /** A UDP client that sent before the port was published is remembered as untranslated for as long as it goes on sending. */
  async #forgetUdp({ ports }: Endpoint): Promise<void> {
    const published = new Set(ports.flatMap(({ protocol, hostPort }) => (protocol === 'udp' ? [hostPort] : [])));
    if (published.size === 0) return;
    const own = new Set((await this.#doors.links.addresses()).map(({ address }) => address));
    await this.#doors.forgetFlows(
      ({ protocol, port, destination, answerer }) =>
        protocol === UDP && published.has(port) && destination === answerer && own.has(destination),
    );
  }

  async #raiseBridge({ gateway, subnet }: BridgePlan): Promise<Bridge> {
    const name = this.#options.bridgeName;
    const mac = this.#running?.bridge.mac ?? randomMac(); // containers know the one it had
    try {
      const { prefixLength } = subnet;
      const mtu = this.#options.mtu ?? DEFAULT_MTU;
      return await this.#doors.links.ensureBridge({ name, mac, mtu, address: gateway, prefixLength });
    } catch (cause) {
      const message = `cannot set up the bridge ${name}: ${messageOf(cause)}`;
      throw new GantryError('system', 'NETWORK_FAILED', message, { cause, params: { bridge: name } });
    }
  }

  /** Writes all rules anew, for what is attached now; takes back what left while `nft` worked. */
  async #replaceRules({ plan }: Running): Promise<void> {
    const { bridgeName: bridge, icc, ipMasq: masquerade } = this.#options;
    const rules = { bridge, subnet: formatSubnet(plan.subnet), gateway: plan.gateway, icc, masquerade };
    const written = [...this.#attached.values()].map(({ endpoint }) => endpoint);
    await this.#doors.firewall.replace([rules], written.flatMap(mappingsOf));
    const left = written.filter(({ endpointId }) => !this.#attached.has(endpointId));
    await this.#doors.firewall.unpublish(left.flatMap(mappingsOf));
  }

  async #bridgeStands(): Promise<boolean> {
    const { bridge } = this.#mustRun();
    return (await this.#doors.links.list()).some(({ index, name }) => index === bridge.index && name === bridge.name);
  }

  /** Somebody deleted the bridge: makes it again and puts the containers back on it. */
  async #rebuild(): Promise<void> {
    const cidr = cidrOf(this.#mustRun());
    this.#log(`the bridge ${this.#options.bridgeName} was deleted by another program: made again`);
    this.#starting = undefined;
    await this.start(cidr);
    await this.clearStale();
  }

  async #attempt(act: Promise<void>, what: string): Promise<void> {
    try {
      await act;
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

function cidrOf({ plan }: Running): string {
  return `${plan.gateway}/${plan.subnet.prefixLength}`;
}
