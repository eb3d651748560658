// Owns the addresses of `--host` and `hosts`: their forms, and which of them other machines can reach. Pure.

import { isIP } from 'node:net';

/** Where the daemon listens. */
export type BindAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'fd' };

const DEFAULT_PORT = 2375;

/**
 * Reads `unix:///path`, `tcp://host:port`, `host:port`, `host`, `:port` or `fd://`; '' and `unix://` stand for the socket of the exec root.
 * @throws Error in dockerd's words
 */
export function bindAddress(text: string): BindAddress {
  const trimmed = text.trim();
  const fail = (why: string) => new Error(`invalid bind address (${trimmed}): ${why}`);
  const [, scheme, rest = ''] = /^([^:/]*):\/\/(.*)$/.exec(trimmed) ?? [];
  if (trimmed === '') return { kind: 'unix', path: '' };
  if (scheme === 'unix') return { kind: 'unix', path: rest };
  if (scheme === 'fd') return { kind: 'fd' };
  if (scheme !== undefined && scheme !== 'tcp') throw fail(`unsupported proto '${scheme}'`);
  return tcpAddress(scheme === undefined ? trimmed : rest, fail);
}

function tcpAddress(text: string, fail: (why: string) => Error): BindAddress {
  const [authority = '', ...path] = text.split('/');
  if (path.join('') !== '') throw fail('should not contain a path element');
  const quoted = `parse "tcp://${authority}"`;
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([^:]*))?$/.exec(authority) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined) throw fail(`${quoted}: invalid host`);
  if (bracketed !== undefined && isIP(bracketed.split('%')[0] ?? '') !== 6) throw fail(`${quoted}: invalid host`);
  if (port !== undefined && !/^\d*$/.test(port)) throw fail(`${quoted}: invalid port ":${port}" after host`);
  if (Number(port) > 65_535) throw fail(`${quoted}: port out of range`);
  if (/[\s@?#]/.test(host)) throw fail(`${quoted}: invalid character in host name`);
  return { kind: 'tcp', host: host || 'localhost', port: port ? Number(port) : DEFAULT_PORT };
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
