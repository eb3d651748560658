// Owns changing what is stored of contexts: each is written or removed as a whole. Connects to nothing.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailure } from '../failure.ts';
import { type ContextMetadata, contextFolders, DEFAULT_CONTEXT, hasContext, readContext } from './contexts.ts';

/** Certificates and keys: endpoint, file name, bytes. */
export type TlsFiles = Readonly<Record<string, Readonly<Record<string, Buffer>>>>;

/** All that there is of a context. */
export interface StoredContext {
  readonly metadata: ContextMetadata;
  readonly tls: TlsFiles;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/;

/** @throws CommandFailure (1) when a context cannot be called so */
export function checkContextName(name: string): void {
  if (name === '') throw new CommandFailure(1, 'context name cannot be empty');
  if (name === DEFAULT_CONTEXT) throw new CommandFailure(1, `"${DEFAULT_CONTEXT}" is a reserved context name`);
  if (NAME.test(name)) return;
  const rule = `names are validated against regexp "${NAME.source}"`;
  throw new CommandFailure(1, `context name "${name}" is invalid, ${rule}`);
}

/** @throws CommandFailure (1) when no new context can be called so */
export function checkNewContextName(configFolder: string, name: string): void {
  checkContextName(name);
  if (!hasContext(configFolder, name)) return;
  throw new CommandFailure(
    1,
    `context "${name}" already exists`,
    `change it with "gantry context update ${name}", or remove it first with "gantry context rm ${name}"`,
  );
}

/** @throws CommandFailure (1) when there is no context called `name` */
export function readStoredContext(configFolder: string, name: string): StoredContext {
  const metadata = readContext(configFolder, name);
  const { tls } = contextFolders(configFolder, name);
  const endpoints = namesIn(tls).map((endpoint): [string, Record<string, Buffer>] => {
    const files = namesIn(join(tls, endpoint)).map((file) => [file, readFileSync(join(tls, endpoint, file))] as const);
    return [endpoint, Object.fromEntries(files)];
  });
  return { metadata, tls: Object.fromEntries(endpoints) };
}

/** Writes a context over the one of that name, if any; the metadata last, so that an interrupted new one is not listed. */
export function writeStoredContext(configFolder: string, { metadata, tls }: StoredContext): void {
  const folders = contextFolders(configFolder, metadata.Name);
  rmSync(folders.tls, { recursive: true, force: true });
  for (const [endpoint, files] of Object.entries(tls)) {
    mkdirSync(join(folders.tls, endpoint), { recursive: true, mode: 0o700 });
    for (const [file, bytes] of Object.entries(files)) {
      writeFileSync(join(folders.tls, endpoint, file), bytes, { mode: 0o600 });
    }
  }
  mkdirSync(folders.meta, { recursive: true, mode: 0o755 });
  const temporary = join(folders.meta, `meta.json.${process.pid}.tmp`);
  writeFileSync(temporary, JSON.stringify(metadata), { mode: 0o644 });
  renameSync(temporary, join(folders.meta, 'meta.json'));
}

/** Removes a context; one that is not there is no error. */
export function removeStoredContext(configFolder: string, name: string): void {
  const folders = contextFolders(configFolder, name);
  for (const folder of [folders.meta, folders.tls]) rmSync(folder, { recursive: true, force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
