// Owns the X-Registry-Auth header: base64url JSON in, credentials out. Bad text is no credentials, as in Docker.

/** The header's fields under the names that the engine uses. */
export interface RegistryAuth {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
  readonly registryToken?: string | undefined;
  readonly serverAddress?: string | undefined;
}

const FIELDS: Readonly<Record<string, keyof RegistryAuth>> = {
  username: 'username',
  password: 'password',
  identitytoken: 'identityToken',
  registrytoken: 'registryToken',
  serveraddress: 'serverAddress',
};

/** Credentials of the header; undefined when it is absent, empty (`e30=`) or unreadable. @source dockerd 28.5.2 ignores bad ones */
export function parseRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (!header) return undefined;
  try {
    return registryAuthOf(JSON.parse(Buffer.from(header, 'base64url').toString()));
  } catch {
    return undefined;
  }
}

/** Credentials of an already parsed JSON object, as /auth carries it too: field names in any case, empty ones dropped. */
export function registryAuthOf(value: unknown): RegistryAuth | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: { -readonly [K in keyof RegistryAuth]: string } = {};
  for (const [key, text] of Object.entries(value)) {
    const name = FIELDS[key.toLowerCase()];
    if (name !== undefined && typeof text === 'string' && text !== '') found[name] = text;
  }
  if (!found.username && typeof (value as { auth?: unknown }).auth === 'string')
    addBasic(found, String((value as { auth: string }).auth));
  return Object.keys(found).length === 0 ? undefined : found;
}

function addBasic(found: { username?: string; password?: string }, auth: string): void {
  const [, username, password] = /^([^:]+):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
  if (username === undefined || password === undefined) return;
  found.username = username;
  found.password = password;
}
