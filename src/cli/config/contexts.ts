// Owns Docker's stored contexts: names for daemons, one folder each under `contexts/meta`. Connects to nothing.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from '../../client/index.ts';
import { messageOf } from '../../lib/errors.ts';
import { CommandFailure } from '../failure.ts';

/** The context that means "no context": host from flags, environment or the default socket. */
export const DEFAULT_CONTEXT = 'default';

/** Where a daemon is. Other programs keep more in it. */
export interface ContextEndpoint {
  readonly Host?: string;
  readonly SkipTLSVerify?: boolean;
}

/** The meta.json of one context. @source docker 28.2.2 */
export interface ContextMetadata {
  readonly Name: string;
  readonly Metadata: { readonly Description?: string };
  readonly Endpoints: Readonly<Record<string, ContextEndpoint>>;
}

/** Every stored context, in no order. @throws CommandFailure (1) when one cannot be read */
export function listContexts(configFolder: string): ContextMetadata[] {
  const folder = join(configFolder, 'contexts', 'meta');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .map((name) => readMetadata(join(folder, name, 'meta.json')))
    .filter((metadata) => metadata !== undefined);
}

/** True when a context of that name is stored. */
export function hasContext(configFolder: string, name: string): boolean {
  return existsSync(join(contextFolders(configFolder, name).meta, 'meta.json'));
}

/** @throws CommandFailure (1) when there is no context called `name`, or it cannot be read */
export function readContext(configFolder: string, name: string): ContextMetadata {
  const path = join(contextFolders(configFolder, name).meta, 'meta.json');
  const metadata = readMetadata(path);
  if (metadata !== undefined) return metadata;
  throw new CommandFailure(
    1,
    `context "${name}": context not found: open ${path}: no such file or directory`,
    'list the contexts with "gantry context ls"',
  );
}

/** Folder name of a context: the SHA-256 of its name. */
export function contextId(name: string): string {
  // Only named contexts need it, and it is slow to load.
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex');
}

/** Where a context keeps its certificates and its metadata. */
export function contextFolders(configFolder: string, name: string): { readonly meta: string; readonly tls: string } {
  const id = contextId(name);
  return { meta: join(configFolder, 'contexts', 'meta', id), tls: join(configFolder, 'contexts', 'tls', id) };
}

/** The certificates of a context; undefined when it has none. */
export function contextTls(configFolder: string, context: ContextMetadata): TlsOptions | undefined {
  const folder = join(contextFolders(configFolder, context.Name).tls, 'docker');
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readIfThere(join(folder, file)));
  const skipVerify = context.Endpoints.docker?.SkipTLSVerify === true;
  if (ca === undefined && cert === undefined && !skipVerify) return undefined;
  return { ca, cert, key, verify: !skipVerify };
}

function readMetadata(path: string): ContextMetadata | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return parseMetadata(text);
  } catch (error) {
    throw new CommandFailure(1, `parsing ${path}: ${messageOf(error)}`);
  }
}

/** Reads a meta.json; keys that are not Gantry's stay. @throws Error when it is none */
export function parseMetadata(text: string): ContextMetadata {
  const { Name, Metadata, Endpoints, ...rest } = objectOf(JSON.parse(text), 'it');
  const endpoints = Object.entries(objectOf(Endpoints ?? {}, 'Endpoints'));
  return {
    ...rest,
    Name: typeof Name === 'string' ? Name : '',
    Metadata: objectOf(Metadata ?? {}, 'Metadata'),
    Endpoints: Object.fromEntries(endpoints.map(([key, value]) => [key, objectOf(value, `endpoint ${key}`)])),
  };
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} is no object`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
