// Owns where a registry may be reached: mirrors before the origin, HTTPS before HTTP, HTTP only where that is allowed. Pure.

import { BlockList, isIP } from 'node:net';
import { DEFAULT_DOMAIN } from '../spec/reference.ts';
import type { RegistryOptions } from './types.ts';

/** One base URL to try. */
export interface Endpoint {
  /** Without a slash at the end, e.g. `https://registry-1.docker.io`. */
  readonly base: string;
  /** Certificates are not checked. */
  readonly insecure: boolean;
  /** A mirror: its failures fall through to the next endpoint, and it gets no credentials. */
  readonly mirror: boolean;
}

/** The endpoints for a registry, in the order to try them. @source dockerd 28.5: registry/service_v2.go */
export function endpointsFor(domain: string, options: RegistryOptions): readonly Endpoint[] {
  if (domain === DEFAULT_DOMAIN) {
    const mirrors = options.mirrors.map((url): Endpoint => {
      const base = url.replace(/\/+$/, '');
      return { base, insecure: isInsecure(hostOf(base), options), mirror: true };
    });
    return [...mirrors, { base: 'https://registry-1.docker.io', insecure: false, mirror: false }];
  }
  const insecure = isInsecure(domain, options);
  const https: Endpoint = { base: `https://${domain}`, insecure, mirror: false };
  return insecure ? [https, { base: `http://${domain}`, insecure, mirror: false }] : [https];
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** True for loopback and for what the list names: host[:port] or CIDR. */
export function isInsecure(domain: string, { insecure }: RegistryOptions): boolean {
  const host = domain.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  if (insecure.includes(domain) || insecure.includes(host)) return true;
  if (host === 'localhost') return true;
  const family = isIP(host);
  if (family === 0) return false;
  const block = new BlockList();
  block.addSubnet('127.0.0.0', 8, 'ipv4');
  block.addAddress('::1', 'ipv6');
  for (const entry of insecure) {
    const [network = '', bits = ''] = entry.split('/');
    const kind = isIP(network);
    if (kind !== 0 && /^\d+$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128)) {
      block.addSubnet(network, Number(bits), kind === 4 ? 'ipv4' : 'ipv6');
    }
  }
  return block.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
