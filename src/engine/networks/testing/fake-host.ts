// Owns a host for tests of the network capability: links, addresses, a firewall table and host ports, all in memory. It remembers
// what it was asked for, fails when told to, and waits when told to.

import type { Flow } from '../../../host/firewall/conntrack.ts';
import type { Firewall } from '../../../host/firewall/firewall.ts';
import type { HostPortRequest } from '../../../host/firewall/host-port.ts';
import type { BridgeRules, PortMapping } from '../../../host/firewall/ruleset.ts';
import { errno, SystemError } from '../../../host/libc.ts';
import {
  BRIDGE_ALIAS,
  type Bridge,
  type Link,
  type LinkAddress,
  type Links,
  type Route,
} from '../../../host/netlink/links.ts';
import type { NetworkDoors } from '../doors.ts';

/** A published port as its table has it: `0.0.0.0:8080/tcp`. */
const portText = ({ hostIp, hostPort, protocol }: Pick<PortMapping, 'hostIp' | 'hostPort' | 'protocol'>): string =>
  `${hostIp}:${hostPort}/${protocol}`;

const LINK: Link = { index: 0, name: '', up: true, master: 0, peer: 0, mac: '', mtu: 1500, kind: '', alias: '' };

/** The fake. Everything public may be read and changed by a test. */
export class FakeHost implements NetworkDoors {
  /** A line for each change that was asked for, in order; failed ones too. */
  readonly calls: string[] = [];
  readonly present = new Map<string, Link>();
  ownAddresses: LinkAddress[] = [];
  ownRoutes: Route[] = [];
  /** Names of links that pass nothing more, or reach no other container. */
  readonly muted = new Set<string>();
  readonly isolated = new Set<string>();
  /** Processes whose namespaces can be plugged in. */
  readonly processes = new Set<number>();
  /** The firewall's table; undefined: there is none. */
  table: { readonly networks: readonly BridgeRules[]; readonly ports: Map<string, string> } | undefined;
  /** Host ports that other programs hold, and those that this engine does: `0.0.0.0:8080/tcp`. */
  readonly busy = new Set<string>();
  readonly held = new Map<string, HostPortRequest>();
  readonly sysctls = new Map<string, string>();
  flows: Flow[] = [];
  ipv6 = true;
  dropping: readonly string[] = [];
  readonly #failures = new Map<string, Error>();
  readonly #waits = new Map<string, Promise<void>>();
  #lastIndex = 1;

  /** The next call of `verb` fails with `error`. */
  failNext(verb: string, error: Error): void {
    this.#failures.set(verb, error);
  }

  /** The next call of `verb` does its work and then waits for `until`. */
  holdNext(verb: string, until: Promise<void>): void {
    this.#waits.set(verb, until);
  }

  /** Adds a link of another program. */
  addLink(link: Partial<Link> & { readonly name: string }): Link {
    const made = { ...LINK, index: ++this.#lastIndex, ...link };
    this.present.set(made.name, made);
    return made;
  }

  /** Another program deletes a link; the kernel takes its addresses along. */
  dropLink(name: string): void {
    const index = this.present.get(name)?.index;
    this.present.delete(name);
    this.ownAddresses = this.ownAddresses.filter(({ linkIndex }) => linkIndex !== index);
  }

  /** Another program deletes the firewall's table. */
  dropTable(): void {
    this.table = undefined;
  }

  /** Names of the ports of a bridge. */
  portsOf(bridgeName: string): string[] {
    const index = this.present.get(bridgeName)?.index;
    return [...this.present.values()].filter(({ master }) => master === index).map(({ name }) => name);
  }

  readonly links: Links = {
    list: async () => {
      this.#mayFail('list');
      return [...this.present.values()];
    },
    addresses: async () => this.ownAddresses,
    routes: async () => this.ownRoutes,
    ensureBridge: async ({ name, mac, mtu, address, prefixLength }) => {
      this.#begin('ensureBridge', `${name} ${address}/${prefixLength}`);
      const found = this.present.get(name) ?? this.addLink({ name, mac, mtu, kind: 'bridge', alias: BRIDGE_ALIAS });
      if (found.kind !== 'bridge') throw new Error(`${name} is a link of this host, but no bridge`);
      this.ownAddresses = this.ownAddresses.filter(({ linkIndex }) => linkIndex !== found.index);
      this.ownAddresses.push({ linkIndex: found.index, address, prefixLength });
      return { index: found.index, name, mac: found.mac };
    },
    enslave: async (names, bridge, isolated = false) => {
      for (const name of names) this.#begin('enslave', name);
      for (const name of names) this.#setMaster(name, bridge, isolated);
    },
    plug: async ({ bridge, linkName, pid, mac, mtu, address, isolated, hairpin }) => {
      this.#begin('plug', `${address}${hairpin ? ' hairpin' : ''} mtu ${mtu}`);
      if (!this.processes.has(pid)) throw Object.assign(new Error('no such process'), { code: 'ENOENT' });
      if (this.present.get(bridge.name)?.index !== bridge.index) throw new SystemError(errno.ENODEV, 'netlink');
      this.addLink({ name: linkName, mac, mtu, kind: 'veth' });
      this.#setMaster(linkName, bridge, isolated ?? false);
      await this.#hold('plug');
    },
    mute: async (name) => {
      this.#begin('mute', name);
      if (this.present.has(name)) this.muted.add(name);
    },
    remove: async (names) => {
      for (const name of names) {
        this.#begin('remove', name);
        this.dropLink(name);
      }
    },
  };

  readonly firewall: Firewall = {
    replace: async (networks, ports) => {
      this.#begin('replace', ports.map(portText).join(' '));
      this.table = { networks, ports: new Map(ports.map((port) => [portText(port), targetOf(port)])) };
      await this.#hold('replace');
    },
    publish: async (ports) => {
      if (ports.length === 0) return true;
      this.#begin('publish', ports.map(portText).join(' '));
      const { table } = this;
      if (!table || ports.some((port) => (table.ports.get(portText(port)) ?? targetOf(port)) !== targetOf(port)))
        return false;
      for (const port of ports) table.ports.set(portText(port), targetOf(port));
      return true;
    },
    unpublish: async (ports) => {
      if (ports.length === 0) return;
      this.#begin('unpublish', ports.map(portText).join(' '));
      for (const port of ports) this.table?.ports.delete(portText(port));
    },
    remove: async () => {
      this.#begin('removeTable', '');
      this.table = undefined;
    },
    warnings: () => {
      this.#mayFail('warnings');
      return this.dropping;
    },
    [Symbol.dispose]: () => void this.calls.push('closeFirewall'),
  };

  readonly openHostPort = (request: HostPortRequest): Disposable => {
    const key = portText(request);
    const isTaken = [...this.busy, ...this.held.keys()].some((other) => collide(other, key));
    if (isTaken) throw new SystemError(errno.EADDRINUSE, 'bind');
    if (request.hostIp.startsWith('203.0.113.')) throw new SystemError(errno.EADDRNOTAVAIL, 'bind');
    this.held.set(key, request);
    let isOpen = true;
    return {
      [Symbol.dispose]: () => {
        if (isOpen) this.held.delete(key);
        isOpen = false;
      },
    };
  };

  readonly forgetFlows = async (match: (flow: Flow) => boolean): Promise<number> => {
    this.#begin('forgetFlows', '');
    const before = this.flows.length;
    this.flows = this.flows.filter((flow) => !match(flow));
    return before - this.flows.length;
  };

  readonly lockSubnets = async (): Promise<Disposable> => {
    this.calls.push('lock');
    return { [Symbol.dispose]: () => void this.calls.push('unlock') };
  };

  readonly setSysctl = (key: string, value: string): void => {
    this.#begin('sysctl', key);
    this.sysctls.set(key, value);
  };

  readonly ephemeralPorts = () => ({ first: 32_768, last: 32_868 });
  readonly hasIPv6 = (): boolean => this.ipv6;

  #setMaster(name: string, { index }: Bridge, isolated: boolean): void {
    const link = this.present.get(name);
    if (!link) return;
    this.present.set(name, { ...link, master: index });
    if (isolated) this.isolated.add(name);
  }

  #begin(verb: string, what: string): void {
    this.calls.push(`${verb} ${what}`.trimEnd());
    this.#mayFail(verb);
  }

  #mayFail(verb: string): void {
    const failure = this.#failures.get(verb);
    this.#failures.delete(verb);
    if (failure) throw failure;
  }

  async #hold(verb: string): Promise<void> {
    const until = this.#waits.get(verb);
    this.#waits.delete(verb);
    await until;
  }
}

const targetOf = ({ address, port }: PortMapping): string => `${address}:${port}`;

/** True when two sockets cannot be bound at once: the same port, and the same address or every one of its family. */
function collide(a: string, b: string): boolean {
  const split = (text: string): readonly [string, string] => {
    const colon = text.lastIndexOf(':');
    return [text.slice(0, colon), text.slice(colon)];
  };
  const [[ipA, portA], [ipB, portB]] = [split(a), split(b)];
  const [any, both] = ipA.includes(':') ? ['::', ipB.includes(':')] : ['0.0.0.0', !ipB.includes(':')];
  return portA === portB && both && (ipA === ipB || ipA === any || ipB === any);
}
