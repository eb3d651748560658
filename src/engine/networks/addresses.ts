// Owns IPv4 address arithmetic: subnets, the choice of a free one, and the addresses of one network. Pure.

import ipaddr from 'ipaddr.js';
import { GantryError } from '../../lib/errors.ts';

/** A block of IPv4 addresses: `base` has zeros after the prefix. */
export interface Subnet {
  readonly base: number;
  readonly prefixLength: number;
}

/** Where new networks take their subnets: blocks of `size` bits out of `base`. */
export interface SubnetPool {
  readonly base: string;
  readonly size: number;
}

/** dockerd's own. @source dockerd 28, `default-address-pools` */
export const DEFAULT_ADDRESS_POOLS: readonly SubnetPool[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
];

/** @throws INVALID_CIDR */
export function parseCidr(text: string): { address: string; subnet: Subnet } {
  if (!/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(text) || !ipaddr.IPv4.isValidCIDR(text)) {
    throw new GantryError('invalid', 'INVALID_CIDR', `invalid CIDR address: ${text}`, { params: { text } });
  }
  const [address, prefixLength] = ipaddr.IPv4.parseCIDR(text);
  return { address: address.toString(), subnet: subnetOf(address.toString(), prefixLength) };
}

/** The block that an address lies in. */
export function subnetOf(address: string, prefixLength: number): Subnet {
  const size = 2 ** (32 - prefixLength);
  return { base: Math.floor(addressNumber(address) / size) * size, prefixLength };
}

export function formatSubnet({ base, prefixLength }: Subnet): string {
  return `${formatAddress(base)}/${prefixLength}`;
}

function addressNumber(address: string): number {
  return ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

export function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

/** True when the two share an address. */
export function overlap(a: Subnet, b: Subnet): boolean {
  const last = ({ base, prefixLength }: Subnet): number => base + 2 ** (32 - prefixLength) - 1;
  return a.base <= last(b) && b.base <= last(a);
}

/** The first block of the pools that overlaps nothing in use. @throws NO_FREE_SUBNET */
export function chooseSubnet(pools: readonly SubnetPool[], inUse: readonly Subnet[]): Subnet {
  for (const { base, size } of pools) {
    const { subnet: pool } = parseCidr(base);
    const step = 2 ** (32 - size);
    const end = pool.base + 2 ** (32 - pool.prefixLength);
    for (let at = pool.base; at < end; at += step) {
      const candidate = { base: at, prefixLength: size };
      if (!inUse.some((used) => overlap(used, candidate))) return candidate;
    }
  }
  // @source dockerd 28.5
  const message = 'all predefined address pools have been fully subnetted';
  throw new GantryError('exhausted', 'NO_FREE_SUBNET', message, {
    hint: 'free a network that is not used, or give the daemon more room with --default-address-pool',
  });
}

/**
 * The addresses of one network; the lowest free one is given first, as Docker does. A released address rests until it is
 * freed, for the host may still know connections and a link of its last owner; only that owner gets it back meanwhile,
 * so a restarted container keeps its address.
 */
export class AddressPool {
  readonly #used = new Set<number>();
  /** Owner by resting address, longest rest first; resting addresses are in `#used` too. */
  readonly #resting = new Map<number, string>();
  readonly #first: number;
  readonly #last: number;
  /** No address below is free. */
  #lowest: number;

  /** `reserved` addresses (the gateway) are never given. */
  constructor({ base, prefixLength }: Subnet, reserved: readonly string[]) {
    const size = 2 ** (32 - prefixLength);
    // A /31 and a /32 have no network or broadcast address.
    this.#first = size > 2 ? base + 1 : base;
    this.#last = size > 2 ? base + size - 2 : base + size - 1;
    this.#lowest = this.#first;
    for (const address of reserved) this.#used.add(addressNumber(address));
  }

  /** Takes the address that `owner` had, else the lowest free one, else the one that rested longest; undefined when none is left. */
  allocate(owner: string): string | undefined {
    const resting = [...this.#resting].find(([, last]) => last === owner)?.[0];
    if (resting !== undefined) return this.#wake(resting);
    while (this.#lowest <= this.#last && this.#used.has(this.#lowest)) this.#lowest++;
    if (this.#lowest <= this.#last) {
      this.#used.add(this.#lowest);
      return formatAddress(this.#lowest++);
    }
    const [longest] = this.#resting.keys();
    return longest === undefined ? undefined : this.#wake(longest);
  }

  /** Marks an address that is in use already. */
  adopt(address: string): void {
    this.#used.add(addressNumber(address));
  }

  /** Ends the use of an address by `owner`. */
  rest(address: string, owner: string): void {
    if (this.#used.has(addressNumber(address))) this.#resting.set(addressNumber(address), owner);
  }

  /** True while nobody took the address since it was put to rest. */
  isResting(address: string): boolean {
    return this.#resting.has(addressNumber(address));
  }

  /** Ends the rest of an address. One that was taken again meanwhile stays taken. */
  free(address: string): void {
    if (this.#resting.delete(addressNumber(address))) this.release(address);
  }

  /** Ends the use of an address that never saw traffic: no rest. */
  release(address: string): void {
    const number = addressNumber(address);
    if (this.#used.delete(number) && number >= this.#first) this.#lowest = Math.min(this.#lowest, number);
  }

  #wake(number: number): string {
    this.#resting.delete(number);
    return formatAddress(number);
  }
}
