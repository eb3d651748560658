// Owns the choice of addresses and names for a throwaway daemon, so that many run side by side. Reserves nothing in the kernel.

import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** `bip` is the default bridge's own address; `pool` feeds further networks, /24 each. Both lie in one /18 of 10.64.0.0/10. */
export interface Subnets {
  readonly bip: string;
  readonly pool: string;
}

/** First and last address of every route of this machine, as numbers. */
function routedRanges(): { first: number; last: number }[] {
  const swap = (hex: string) => Buffer.from(hex, 'hex').readUInt32LE();
  const rows = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  return rows
    .map((row) => row.split('\t'))
    .map((cells) => ({ first: swap(cells[1] ?? '00000000'), mask: swap(cells[7] ?? '00000000') }))
    .filter(({ mask }) => mask !== 0)
    .map(({ first, mask }) => ({ first, last: (first | (~mask >>> 0)) >>> 0 }));
}

/** A block of addresses that no route of this machine covers. */
export function freeSubnets(): Subnets {
  for (;;) {
    const second = randomInt(64, 128);
    const third = randomInt(0, 4) * 64;
    const first = ((10 << 24) | (second << 16) | (third << 8)) >>> 0;
    const last = first + 64 * 256 - 1;
    if (routedRanges().some((range) => range.first <= last && range.last >= first)) continue;
    return { bip: `10.${second}.${third}.1/24`, pool: `10.${second}.${third + 16}.0/20` };
  }
}

/** A link name of at most 15 characters that says whose it is. */
export const bridgeName = (): string => `gtyt${randomBytes(4).toString('hex')}`;

/** A TCP port of loopback that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
