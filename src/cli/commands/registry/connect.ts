// Owns finding the registry that a command speaks to: by flag or environment, over which protocol, with the credentials of `login`.
import {
  createRegistryApi,
  isNoTls,
  isNotVerified,
  type RegistryApi,
  RegistryRequestError,
  type RegistryTls,
} from '../../../client/index.ts';
import { findCredentials } from '../../config/credentials.ts';
import { CommandFailure } from '../../failure.ts';
import type { Flags } from '../../grammar/flags.ts';
import type { Session } from '../../session.ts';
import { tlsFor } from './certificates.ts';

const DEFAULT = '127.0.0.1:5000';

/** The registry's API; its failures end the command with one line. @throws CommandFailure (1) */
export async function connect(session: Session, flags: Flags): Promise<RegistryApi> {
  const named = flags.text('registry') || session.env.GANTRY_REGISTRY || DEFAULT;
  const host = named.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  const isInsecure = flags.bool('insecure') || isLocal(host);
  const tls: RegistryTls = { ...tlsFor(host, flags.text('ca'), session.env), isUnverified: isInsecure };
  const url = await inWords(() => schemeOf(named, host, isInsecure, tls), host);
  const { username, password, identitytoken } = await findCredentials(session.config(), host);
  const api = createRegistryApi({ url, username, password, identityToken: identitytoken, tls });
  return {
    call: (method, path, body) => inWords(() => api.call(method, path, body), host),
    all: (path, key, query) => inWords(() => api.all(path, key, query), host),
    async *lines<T>(method: string, path: string) {
      const lines = api.lines<T>(method, path);
      for (;;) {
        const next = await inWords(() => lines.next(), host);
        if (next.done) return;
        yield next.value;
      }
    },
  };
}

/**
 * The registry's URL. As for Docker's daemon, `insecure` is HTTPS without verifying, else plain HTTP; asked without credentials.
 * @source dockerd 28.5: insecure-registries; 127.0.0.0/8 is always one
 */
async function schemeOf(named: string, host: string, isInsecure: boolean, tls: RegistryTls): Promise<string> {
  if (named.startsWith('http://')) return `http://${host}`;
  if (named.startsWith('https://') || !isInsecure) return `https://${host}`;
  try {
    await createRegistryApi({ url: `https://${host}`, tls }).call('GET', '/v2/');
  } catch (error) {
    if (isNoTls(error)) return `http://${host}`;
    if (!(error instanceof RegistryRequestError) || error.status === 0) throw error;
  }
  return `https://${host}`;
}

function isLocal(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

async function inWords<T>(act: () => Promise<T>, host: string): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof RegistryRequestError)) throw error;
    throw new CommandFailure(1, `Error: ${error.message}`, hintOf(error, host));
  }
}

function hintOf(error: RegistryRequestError, host: string): string | undefined {
  if (error.status === 401) return `log in first: gantry login ${host}`;
  if (isNotVerified(error))
    return `--ca FILE names the authority (or /etc/docker/certs.d/${host}/ca.crt), --insecure asks for none`;
  if (isNoTls(error)) return 'a registry that speaks plain HTTP takes --insecure';
  return undefined;
}

/** `REPOSITORY[:TAG|@DIGEST]` in its two parts; `reference` is undefined when there is none. */
export function splitName(text: string): { readonly repository: string; readonly reference: string | undefined } {
  const at = text.indexOf('@');
  if (at >= 0) return { repository: text.slice(0, at), reference: text.slice(at + 1) };
  const colon = text.lastIndexOf(':');
  return colon <= text.lastIndexOf('/')
    ? { repository: text, reference: undefined }
    : { repository: text.slice(0, colon), reference: text.slice(colon + 1) };
}
