// Owns the question whether a Host header may be one of this server's names. A page can point its own name at a loopback address (DNS
// rebinding); the browser then takes the registry for that page's own server and lets it read everything that strangers may.

import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { GantryError } from '../../lib/errors.ts';

/** Names that no stranger's DNS answers for: reserved ones, and those that this machine goes by. @source RFC 6761; ICANN, .internal */
const OWN_NAMES = /^[^.]+$|(?:^|\.)localhost$|\.internal$/;

/** Makes the check. `names` are further names that clients use, with or without port. */
export function hostCheck(names: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set([hostname(), ...names].map(nameIn));
  return (host) => {
    // Browsers always send one.
    if (host === undefined) return true;
    const name = nameIn(host);
    return isIP(name) !== 0 || OWN_NAMES.test(name) || known.has(name);
  };
}

function nameIn(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

/** @returns DENIED, naming the keys that make the name known */
export function foreignHost(host: string): GantryError {
  return new GantryError('forbidden', 'DENIED', `this registry is not known as ${JSON.stringify(host.slice(0, 255))}`, {
    hint: 'http.host (--external-url) of its configuration names the URL that clients use, http.trustedproxies the proxy in front',
  });
}
