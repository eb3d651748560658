// Owns publishing: which host addresses a request means, the sockets that hold them, and the messages when it fails.

import { isIP, isIPv6 } from 'node:net';
import { bindFailureText } from '../../host/firewall/host-port.ts';
import type { PortMapping } from '../../host/firewall/ruleset.ts';
import { SystemError } from '../../host/libc.ts';
import { isGantryError, messageOf } from '../../lib/errors.ts';
import type { NetworkDoors } from './doors.ts';
import { badHostIp, proxyNeeded, publishFailed } from './errors.ts';
import { type Allocated, type Bind, inOrderOfNeed, PortTable } from './ports.ts';
import type { Endpoint, NetworksOptions, PortRequest, PublishedPort } from './types.ts';

/** Whose ports they are. */
export interface Publisher {
  readonly address: string;
  readonly endpointId: string;
  readonly containerName: string | undefined;
}

/** The published ports of one daemon. */
export class Publishing {
  readonly #doors: Pick<NetworkDoors, 'openHostPort' | 'hasIPv6'>;
  readonly #userlandProxy: boolean;
  readonly #hostIp: string;
  readonly #table: PortTable;

  constructor(
    doors: Pick<NetworkDoors, 'openHostPort' | 'hasIPv6' | 'ephemeralPorts'>,
    { userlandProxy, hostIp = '' }: Pick<NetworksOptions, 'userlandProxy' | 'hostIp'>,
  ) {
    this.#doors = doors;
    this.#userlandProxy = userlandProxy;
    this.#hostIp = hostIp === '0.0.0.0' ? '' : hostIp;
    this.#table = new PortTable(doors.ephemeralPorts);
  }

  /** Takes all host ports that are asked for, or none. @throws PORT_TAKEN, PORTS_EXHAUSTED, PORT_NEEDS_PROXY, INVALID_HOST_IP */
  take(requests: readonly PortRequest[], publisher: Publisher): Allocated[] {
    const taken: Allocated[] = [];
    const bind: Bind = (published) => this.#bind(published, publisher.address);
    try {
      for (const request of inOrderOfNeed(requests)) {
        const addresses = this.#hostAddresses(request);
        this.#table.allocate({ request, addresses, containerAddress: publisher.address }, bind, taken);
      }
    } catch (error) {
      this.giveBack(taken);
      if (!isGantryError(error)) throw error;
      throw publishFailed(error, { name: publisher.containerName, id: publisher.endpointId });
    }
    const place = ({ containerPort, protocol }: PublishedPort): number =>
      requests.findIndex((request) => request.containerPort === containerPort && request.protocol === protocol);
    return taken.sort((a, b) => place(a.published) - place(b.published));
  }

  giveBack(allocated: readonly Allocated[]): void {
    for (const { published, socket } of allocated) {
      this.#table.release(published);
      socket[Symbol.dispose]();
    }
  }

  /** Takes over the ports of an endpoint that lives; one that another program took meanwhile is logged. */
  adopt({ ports, ipAddress }: Endpoint, log: (message: string) => void): Allocated[] {
    return ports.map((published) => {
      this.#table.adopt(published);
      try {
        return { published, socket: this.#open(published, ipAddress) };
      } catch (error) {
        const { hostIp, hostPort, protocol } = published;
        log(`host port ${hostIp}:${hostPort}/${protocol} cannot be held: ${messageOf(error)}`);
        return { published, socket: { [Symbol.dispose]: () => {} } };
      }
    });
  }

  #hostAddresses({ hostIp: asked, containerPort }: PortRequest): string[] {
    const hostIp = asked || this.#hostIp;
    if (hostIp === '') return this.#userlandProxy && this.#doors.hasIPv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
    if (isIP(hostIp) === 0) throw badHostIp(hostIp);
    if (isIPv6(hostIp) && !this.#userlandProxy) throw proxyNeeded(hostIp, containerPort);
    return [hostIp];
  }

  #bind(published: PublishedPort, address: string): ReturnType<Bind> {
    try {
      return { socket: this.#open(published, address) };
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return { reason: bindFailureText(error), inUse: error.code === 'EADDRINUSE' };
    }
  }

  #open({ protocol, hostIp, hostPort, containerPort }: PublishedPort, address: string): Disposable {
    const forwardTo = this.#userlandProxy ? { address, port: containerPort } : undefined;
    return this.#doors.openHostPort({ protocol, hostIp, hostPort, forwardTo });
  }
}

/** What the firewall translates: the IPv4 ports. */
export function mappingsOf({ ipAddress, ports }: Endpoint): PortMapping[] {
  return ports
    .filter(({ hostIp }) => !hostIp.includes(':'))
    .map(({ hostIp, hostPort, protocol, containerPort }) => {
      return { hostIp, hostPort, protocol, address: ipAddress, port: containerPort };
    });
}
