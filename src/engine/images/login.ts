// Owns checking a login against a registry.

import { GantryError } from '../../lib/errors.ts';
import { plainError, type RegistryClient, RegistryError } from '../../remote/index.ts';
import type { RegistryCredentials } from './types.ts';

/** @throws UNAUTHORIZED when the credentials are wrong, REGISTRY_FAILED when the registry does not answer */
export async function loginToRegistry(
  client: RegistryClient,
  credentials: RegistryCredentials,
  signal: AbortSignal,
): Promise<{ readonly status: string; readonly identityToken: string }> {
  let failure: unknown;
  for (const endpoint of client.endpoints(domainOf(credentials.serverAddress ?? ''))) {
    if (endpoint.mirror) continue;
    try {
      const identityToken = await client.login({ endpoint, credentials, signal });
      return { status: 'Login Succeeded', identityToken };
    } catch (error) {
      failure = error;
      // Only an endpoint that is not there makes us try the next: a refusal is an answer.
      if (!(error instanceof RegistryError) || error.status !== 0) break;
    }
  }
  if (!(failure instanceof RegistryError)) throw failure;
  // Docker answers a wrong token login with 401, but a wrong Basic login with 500.
  const refused = failure.status === 401 && !failure.message.startsWith('login attempt');
  throw refused
    ? new GantryError('unauthorized', 'UNAUTHORIZED', failure.message, { cause: failure })
    : plainError(failure);
}

/** The registry in a server address such as `https://index.docker.io/v1/`. */
function domainOf(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return host === '' || host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
