// Owns the text form of a daemon's address (`unix:///path`, `tcp://host:port`) and its parts. Opens nothing.
import { GantryError } from '../lib/errors.ts';

/** Where a daemon listens. */
export type DaemonAddress =
  | { readonly kind: 'unix'; readonly socketPath: string }
  | { readonly kind: 'tcp'; readonly hostname: string; readonly port: number; readonly basePath: string };

const DEFAULT_TCP_PORT = 2375;
const DEFAULT_TLS_PORT = 2376;

/**
 * The parts of `host`; `secure` chooses the default port of a tcp address.
 * @throws HOST_INVALID when the scheme is unknown or the address has no target
 * @source docker 28.2.2 opts.ParseHost
 */
export function parseAddress(host: string, secure = false): DaemonAddress {
  const [, scheme = 'tcp', rest = ''] = /^(?:([a-z]+):\/\/)?(.*)$/s.exec(host.trim()) ?? [];
  if (scheme === 'unix' && rest !== '') return { kind: 'unix', socketPath: rest };
  if ((scheme === 'tcp' || scheme === 'http' || scheme === 'https') && rest !== '') return parseTcp(host, rest, secure);
  throw new GantryError('invalid', 'HOST_INVALID', `invalid bind address format: ${host}`, {
    params: { host },
    hint: 'use unix:///path/to/socket or tcp://host:port',
  });
}

function parseTcp(host: string, rest: string, secure: boolean): DaemonAddress {
  const slash = rest.indexOf('/');
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  const basePath = slash === -1 ? '' : rest.slice(slash).replace(/\/+$/, '');
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:]*)(?::(\d+))?$/.exec(authority);
  const port = Number(match?.[2] ?? (secure ? DEFAULT_TLS_PORT : DEFAULT_TCP_PORT));
  if (match === null || port > 65535) {
    throw new GantryError('invalid', 'HOST_INVALID', `invalid bind address format: ${host}`, { params: { host } });
  }
  return { kind: 'tcp', hostname: (match[1] || 'localhost').replace(/^\[|\]$/g, ''), port, basePath };
}
