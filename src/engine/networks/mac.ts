// Owns MAC addresses of containers and bridges. Pure but for the random source.

import { randomBytes } from 'node:crypto';
import { badMacAddress } from './errors.ts';

/** A random one: locally administered, unicast, as Docker gives since 28. */
export function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The usual spelling of a given one. @throws INVALID_MAC when it is none, or a group's */
export function checkedMac(mac: string): string {
  const text = mac.toLowerCase().replaceAll('-', ':');
  const unicast = (Number.parseInt(text.slice(0, 2), 16) & 1) === 0;
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(text) || !unicast) throw badMacAddress(mac);
  return text;
}
