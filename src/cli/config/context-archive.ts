// Owns a context as a tar: `meta.json` and `tls/ENDPOINT/FILE`. Reads and writes no file.
import { bytesOfText, rawBytes, textOf } from '../../lib/bytes.ts';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { TAR_END, type TarEntry, TarReader, tarHeader, tarPadding } from '../../lib/tar/index.ts';
import { CommandFailure } from '../failure.ts';
import type { StoredContext, TlsFiles } from './context-store.ts';
import { type ContextMetadata, parseMetadata } from './contexts.ts';

/** Bytes of an archive that are read. @source docker 28.2.2, where each file may be as long */
const MAX_BYTES = 10 << 20;

/** The tar of a context. @source docker 28.2.2 */
export function packContext({ metadata, tls }: StoredContext): Buffer {
  const folder = (name: string): Buffer => tarHeader({ name: bytesOfText(name), type: 'directory', mode: 0o700 });
  const file = (name: string, bytes: Buffer, mode: number): Buffer[] => [
    tarHeader({ name: bytesOfText(name), type: 'file', mode, size: bytes.length }),
    bytes,
    tarPadding(bytes.length),
  ];
  const parts = [...file('meta.json', Buffer.from(JSON.stringify(metadata)), 0o644), folder('tls')];
  for (const [endpoint, files] of Object.entries(tls)) {
    parts.push(folder(`tls/${endpoint}`));
    for (const [name, bytes] of Object.entries(files)) parts.push(...file(`tls/${endpoint}/${name}`, bytes, 0o600));
  }
  return Buffer.concat([...parts, TAR_END]);
}

/**
 * The context of a tar, under the name `name`.
 * @throws CommandFailure (1) when it is no archive of a context, or too big for one
 */
export async function unpackContext(tar: AsyncIterable<Buffer>, name: string): Promise<StoredContext> {
  const files = await readFiles(tar);
  const text = files.get('meta.json');
  if (text === undefined) throw new CommandFailure(1, 'invalid context: no metadata found');
  files.delete('meta.json');
  return { metadata: { ...metadataOf(text), Name: name }, tls: tlsOf(files) };
}

function metadataOf(bytes: Buffer): ContextMetadata {
  try {
    return parseMetadata(bytes.toString());
  } catch (error) {
    throw new CommandFailure(1, `invalid context: meta.json: ${messageOf(error)}`);
  }
}

function tlsOf(files: ReadonlyMap<string, Buffer>): TlsFiles {
  const tls: Record<string, Record<string, Buffer>> = {};
  for (const [path, bytes] of files) {
    const [, endpoint = '', file = ''] = path.split('/');
    tls[endpoint] = { ...tls[endpoint], [file]: bytes };
  }
  return tls;
}

/** The plain files; what else an archive holds says nothing. */
async function readFiles(tar: AsyncIterable<Buffer>): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let present: { readonly name: string; readonly chunks: Buffer[] } | undefined;
  const reader = new TarReader({
    entry: (entry) => {
      present = entry.type === 'file' ? { name: checkedName(entry), chunks: [] } : undefined;
    },
    data: (chunk) => {
      present?.chunks.push(Buffer.from(chunk));
    },
    entryEnd: () => {
      if (present !== undefined) files.set(present.name, Buffer.concat(present.chunks));
    },
  });
  let read = 0;
  try {
    for await (const chunk of tar) {
      if (read === 0 && chunk.subarray(0, 2).toString() === 'PK') throw zipFailure();
      read += chunk.length;
      if (read > MAX_BYTES) throw new CommandFailure(1, 'read exceeds the defined limit');
      reader.write(chunk);
      if (reader.ended) break;
    }
    if (read > 0 && !reader.ended) reader.end();
  } catch (error) {
    throw error instanceof GantryError ? new CommandFailure(1, error.message) : error;
  }
  return files;
}

/** @throws CommandFailure (1) when a context has no such file */
function checkedName(entry: TarEntry): string {
  const name = textOf(entry.name);
  if (!Buffer.from(name).equals(rawBytes(entry.name))) throw new CommandFailure(1, `${name}: unexpected path format`);
  if (name === 'meta.json') return name;
  const parts = name.split('/');
  if (parts[0] !== 'tls') throw new CommandFailure(1, `${name}: unexpected context file`);
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new CommandFailure(1, `${name}: unexpected path format`);
  }
  if (parts.length !== 3) throw new CommandFailure(1, 'archive format is invalid');
  return name;
}

function zipFailure(): CommandFailure {
  return new CommandFailure(
    1,
    'contexts in zip files are not read',
    'unpack it, and import "tar -c meta.json tls" of what was in it',
  );
}
