// Owns which host ports this daemon has given out, and the choice of the next. Sockets are opened by the caller's `bind`.

import { GantryError } from '../../lib/errors.ts';
import type { PortProtocol, PortRequest, PublishedPort } from './types.ts';

/** Inclusive. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Why a port could not be bound: `in use` makes a range go on, anything else fails the request. */
interface BindFailure {
  /** As Go words it: `address already in use`, `cannot assign requested address`. */
  readonly reason: string;
  readonly inUse: boolean;
}

/** Binds one host port for `published`; answers the owner of the socket, or why not. */
export type Bind = (published: PublishedPort) => { readonly socket: Disposable } | BindFailure;

/** One request with what `allocate` needs to know about it. */
export interface PortPlan {
  readonly request: PortRequest;
  /** Host addresses to bind: one, or `0.0.0.0` and `::`. */
  readonly addresses: readonly string[];
  /** The container's, for the message. */
  readonly containerAddress: string;
}

/** One published port with the owner of its socket. */
export interface Allocated {
  readonly published: PublishedPort;
  readonly socket: Disposable;
}

const ANY = new Set(['0.0.0.0', '::']);
/** A range is tried this often against other programs' sockets; then the host is full. */
const BIND_ATTEMPTS = 4096;

/** The host ports of one daemon. */
export class PortTable {
  readonly #taken = new Map<string, Set<string>>();
  readonly #next = new Map<PortProtocol, number>();
  readonly #ephemeral: () => PortRange;

  constructor(ephemeral: () => PortRange) {
    this.#ephemeral = ephemeral;
  }

  /**
   * Takes a host port for each request, on each address it names, the same number on all of them.
   * Each port taken is pushed on `into` at once, so that the caller can give all back when a later one fails.
   * @throws PORT_TAKEN, PORTS_EXHAUSTED
   */
  allocate(plan: PortPlan, bind: Bind, into: Allocated[]): void {
    const { request } = plan;
    const range = request.hostPorts ?? this.#ephemeral();
    const fixed = range.first === range.last;
    let attempts = 0;
    for (const hostPort of this.#candidates(request, range)) {
      const conflict = plan.addresses.flatMap((ip) => this.#conflict(request.protocol, ip, hostPort) ?? [])[0];
      if (conflict !== undefined) {
        if (fixed) throw portTaken(`Bind for ${conflict}:${hostPort} failed: port is already allocated`, hostPort);
        continue;
      }
      const failure = this.#take(plan, hostPort, bind, into);
      if (!failure) return;
      if (fixed || !failure.inUse || ++attempts > BIND_ATTEMPTS) throw portTaken(failure.text, hostPort);
    }
    throw new GantryError('exhausted', 'PORTS_EXHAUSTED', 'all ports are allocated', { params: { ...range } });
  }

  /** Marks a port as given out, whoever holds it now (recovery). */
  adopt({ protocol, hostIp, hostPort }: PublishedPort): void {
    const key = `${protocol}/${hostPort}`;
    const ips = this.#taken.get(key) ?? new Set();
    this.#taken.set(key, ips.add(hostIp));
  }

  release({ protocol, hostIp, hostPort }: PublishedPort): void {
    const key = `${protocol}/${hostPort}`;
    const ips = this.#taken.get(key);
    ips?.delete(hostIp);
    if (ips?.size === 0) this.#taken.delete(key);
  }

  #take(plan: PortPlan, hostPort: number, bind: Bind, into: Allocated[]) {
    const { containerPort, protocol } = plan.request;
    const mark = into.length;
    for (const hostIp of plan.addresses) {
      const published = { containerPort, protocol, hostIp, hostPort };
      const bound = bind(published);
      if ('socket' in bound) {
        this.adopt(published);
        into.push({ published, socket: bound.socket });
        continue;
      }
      for (const { published: earlier, socket } of into.splice(mark)) {
        this.release(earlier);
        socket[Symbol.dispose]();
      }
      const host = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
      const text = `failed to bind host port for ${host}:${hostPort}:${plan.containerAddress}:${containerPort}/${protocol}: ${bound.reason}`;
      return { text, inUse: bound.inUse };
    }
    return undefined;
  }

  /** Ephemeral ports go round, so that a port just released is not the next one given; ranges start at their first. */
  *#candidates({ hostPorts, protocol }: PortRequest, { first, last }: PortRange): Generator<number> {
    const start = hostPorts ? first : Math.max(first, this.#next.get(protocol) ?? first);
    const count = last - first + 1;
    for (let i = 0; i < count; i++) {
      const candidate = first + ((start - first + i) % count);
      if (!hostPorts) this.#next.set(protocol, candidate + 1);
      yield candidate;
    }
  }

  /** The address of ours that stands in the way. */
  #conflict(protocol: PortProtocol, ip: string, port: number): string | undefined {
    for (const other of this.#taken.get(`${protocol}/${port}`) ?? []) {
      const sameFamily = ip.includes(':') === other.includes(':');
      if (sameFamily && (ip === other || ANY.has(ip) || ANY.has(other))) return other;
    }
    return undefined;
  }
}

/** Fixed ports first: they have no second choice. The order is stable within each group. */
export function inOrderOfNeed(requests: readonly PortRequest[]): PortRequest[] {
  const freedom = ({ hostPorts }: PortRequest): number => (hostPorts ? hostPorts.last - hostPorts.first : 65536);
  return requests.toSorted((a, b) => freedom(a) - freedom(b));
}

function portTaken(message: string, port: number): GantryError {
  return new GantryError('exhausted', 'PORT_TAKEN', message, {
    params: { port },
    hint: 'publish another port, or end what uses this one (ss -lntup shows it)',
  });
}
