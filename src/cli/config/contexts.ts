// Owns Docker's stored contexts: names for daemons, one folder each under `contexts/meta`. Connects to nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from '../../client/index.ts';
import { CommandFailure } from '../failure.ts';

/** The context that means "no context": host from flags, environment or the default socket. */
export const DEFAULT_CONTEXT = 'default';

/** The meta.json of one context. @source docker 28.2.2 */
export interface ContextMetadata {
  readonly Name: string;
  readonly Metadata: { readonly Description?: string };
  readonly Endpoints: Readonly<Record<string, { readonly Host?: string; readonly SkipTLSVerify?: boolean }>>;
}

/** Every stored context, by name. */
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
    .filter((metadata) => metadata !== undefined)
    .sort((left, right) => (left.Name < right.Name ? -1 : 1));
}

/** @throws CommandFailure (1) when there is no context called `name` */
export function readContext(configFolder: string, name: string): ContextMetadata {
  const path = join(configFolder, 'contexts', 'meta', contextId(name), 'meta.json');
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
  const parsed = JSON.parse(text) as Partial<ContextMetadata>;
  return { Name: parsed.Name ?? '', Metadata: parsed.Metadata ?? {}, Endpoints: parsed.Endpoints ?? {} };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
