// Owns lists of networks: which addresses are this machine's own, private, or in a configured list. Pure.

import { BlockList, isIP } from 'node:net';

/** Addresses that only this machine reaches. */
export const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1'];
/** Networks that the Internet does not route. @source RFC 1918, RFC 3927, RFC 4193, RFC 4291 */
export const PRIVATE: readonly string[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
];

/** True for `ADDRESS` and `ADDRESS/BITS`. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** Whether an address lies in one of `networks`, each of which `isNetwork`. */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false;
  const block = new BlockList();
  for (const entry of networks) {
    const [network = '', bits] = entry.split('/');
    const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) block.addAddress(network, family);
    else block.addSubnet(network, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && block.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

const isLoopbackAddress = inNetworks(LOOPBACK);

/** True for a host to listen on that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || isLoopbackAddress(host);
}

/** An address as people write it: IPv4 that came through an IPv6 socket is IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
