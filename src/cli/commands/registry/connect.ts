// Owns finding the registry that a command speaks to: by flag or environment, with the credentials of `login`.
import { createRegistryApi, type RegistryApi, RegistryRequestError } from '../../../client/index.ts';
import { findCredentials } from '../../config/credentials.ts';
import { CommandFailure } from '../../failure.ts';
import type { Flags } from '../../grammar/flags.ts';
import type { Session } from '../../session.ts';

const DEFAULT = '127.0.0.1:5000';

/** The registry's API; its failures end the command with one line. @throws CommandFailure (1) */
export async function connect(session: Session, flags: Flags): Promise<RegistryApi> {
  const named = flags.text('registry') || session.env.GANTRY_REGISTRY || DEFAULT;
  const host = named.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const isPlain =
    named.startsWith('http://') || (!named.startsWith('https://') && (flags.bool('insecure') || isLocal(host)));
  const { username, password } = await findCredentials(session.config(), host);
  const api = createRegistryApi({ url: `${isPlain ? 'http' : 'https'}://${host}`, username, password });
  return {
    call: (method, path, body) => inWords(() => api.call(method, path, body), host),
    all: (path, key, query) => inWords(() => api.all(path, key, query), host),
  };
}

function isLocal(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

async function inWords<T>(act: () => Promise<T>, host: string): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof RegistryRequestError)) throw error;
    const hint = error.status === 401 ? `\nHint: log in first: gantry login ${host}` : '';
    throw new CommandFailure(1, `Error: ${error.message}${hint}`);
  }
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
