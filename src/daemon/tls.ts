// Owns whether and how TCP addresses speak TLS: dockerd's rules for its five options, the certificates, and who may go without.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../lib/errors.ts';
import { bindAddress, isLoopback } from './hosts.ts';

/** What the API server needs; undefined = no TLS. */
export type TlsOptions =
  | {
      readonly cert: string;
      readonly key: string;
      /** The authority whose certificates clients must show; undefined = clients show none. */
      readonly clientCa: string | undefined;
    }
  | undefined;

/** The options as given. */
export interface TlsGiven {
  readonly tls: boolean | undefined;
  readonly verify: boolean | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * Reads the certificates and looks at who could reach the daemon.
 * @throws Error in dockerd's words for what cannot be read; in ours for an address that everyone of the network could use
 * @source dockerd 28.5: --tls alone verifies clients; --tlsverify, whatever its value, turns TLS on
 */
export function tlsOptions(given: TlsGiven, hosts: readonly string[], env: NodeJS.ProcessEnv): TlsOptions {
  const isOn = given.verify !== undefined || given.tls === true;
  const verifies = given.verify ?? given.tls === true;
  const isAllowed = given.tls === false || given.verify === false;
  if (!verifies && !isAllowed) for (const host of hosts) refuseNetwork(host);
  return isOn ? readCertificates(given, verifies, env) : undefined;
}

function refuseNetwork(host: string): void {
  const address = bindAddress(host);
  if (address.kind !== 'tcp' || isLoopback(address.host)) return;
  throw new Error(
    `${host} would give root on this machine to everyone who can reach it; use --tlsverify with certificates, or allow it with --tls=false`,
  );
}

function readCertificates(given: TlsGiven, verifies: boolean, env: NodeJS.ProcessEnv): TlsOptions {
  const fail = (why: string) => new Error(`invalid TLS configuration: ${why}`);
  const dir = env.DOCKER_CERT_PATH || join(env.HOME || '/root', '.docker');
  const path = (name: string | undefined, fallback: string): string => {
    if (name) return name;
    return existsSync(join(dir, fallback)) ? join(dir, fallback) : '';
  };
  const [certPath, keyPath] = [path(given.cert, 'cert.pem'), path(given.key, 'key.pem')];
  const files = `(cert: ${JSON.stringify(certPath)}, key: ${JSON.stringify(keyPath)})`;
  try {
    const [cert, key] = [read(certPath), read(keyPath)];
    createSecureContext({ cert, key });
    return { cert, key, clientCa: verifies ? readAuthority(path(given.ca, 'ca.pem')) : undefined };
  } catch (error) {
    if (error instanceof AuthorityFault) throw fail(error.message);
    throw fail(`Could not load X509 key pair ${files}: ${messageOf(error)}`);
  }
}

class AuthorityFault extends Error {}

function readAuthority(path: string): string {
  try {
    const ca = read(path);
    createSecureContext({ ca });
    return ca;
  } catch (error) {
    throw new AuthorityFault(`could not read CA certificate ${JSON.stringify(path)}: ${messageOf(error)}`);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`open ${path}: no such file or directory`);
    throw error;
  }
}
