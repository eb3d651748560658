// Owns binding to addresses: Unix sockets with their mode, TCP, and what stands in the way. Serves nothing.

import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, type ListenOptions, type Server } from 'node:net';
import { GantryError, messageOf } from '../lib/errors.ts';

/** Where to listen. */
export type ListenSpec =
  | {
      readonly kind: 'unix';
      /** Absolute path of the socket. */
      readonly path: string;
      /** Default 0o660. */
      readonly mode?: number | undefined;
      /** Group that may speak to the daemon. */
      readonly groupId?: number | undefined;
    }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls?: ListenTls | undefined;
      /** Further names that clients may know this host by. */
      readonly names?: readonly string[] | undefined;
    };

/** Certificates of an address, as PEM text. */
export interface ListenTls {
  readonly cert: string;
  readonly key: string;
  /** Clients must show a certificate of this authority; undefined = they need none. */
  readonly clientCa?: string | undefined;
}

const DEFAULT_MODE = 0o660;
const CONNECT_TIMEOUT_MS = 1000;

/**
 * Binds `server`. A dead socket file is replaced. Resolves to the address as text, with the port that was chosen for port 0.
 * @throws ADDRESS_IN_USE (conflict) when another process listens there; LISTEN_FAILED (system)
 */
export async function bind(server: Server, spec: ListenSpec): Promise<string> {
  if (spec.kind === 'tcp') return bindTcp(server, spec.host, spec.port);
  await clearStaleSocket(spec.path);
  // The umask closes the moment between bind and chmod; bind runs before listen() returns.
  const umask = process.umask(0o777 & ~(spec.mode ?? DEFAULT_MODE));
  const listening = started(server, { path: spec.path }, spec.path);
  process.umask(umask);
  await listening;
  chmodSync(spec.path, spec.mode ?? DEFAULT_MODE);
  if (spec.groupId !== undefined) chownSync(spec.path, -1, spec.groupId);
  return `unix://${spec.path}`;
}

async function bindTcp(server: Server, host: string, port: number): Promise<string> {
  await started(server, { host, port }, `${host}:${port}`);
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

function started(server: Server, options: ListenOptions, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      reject(error.code === 'EADDRINUSE' ? inUse(what) : listenFailed(what, error));
    };
    server.once('error', fail);
    server.listen(options, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

async function clearStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw listenFailed(path, new Error('the file exists and is not a socket'));
  if (await answers(path)) throw inUse(path);
  unlinkSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path, timeout: CONNECT_TIMEOUT_MS });
    const settle = (alive: boolean): void => {
      probe.destroy();
      resolve(alive);
    };
    probe.once('connect', () => settle(true));
    probe.once('timeout', () => settle(true));
    probe.once('error', () => settle(false));
  });
}

function inUse(what: string): GantryError {
  return new GantryError('conflict', 'ADDRESS_IN_USE', `cannot listen on ${what}: another process listens there`, {
    params: { address: what },
    hint: 'stop the other daemon or choose another --host',
  });
}

function listenFailed(what: string, cause: Error): GantryError {
  const message = `cannot listen on ${what}: ${messageOf(cause)}`;
  return new GantryError('system', 'LISTEN_FAILED', message, { params: { address: what }, cause });
}
