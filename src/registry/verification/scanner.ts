// Owns running one scanner on one image: an OCI layout made for it, the command without a shell, bounded time and output.

import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { GantryError } from '../../lib/errors.ts';
import { algorithmOf, type Digest, hexOf } from '../../spec/digest.ts';
import type { ScannerConfig } from '../config/types.ts';
import type { BlobReader, ManifestReader, ManifestRecord } from '../repositories/types.ts';

const OUTPUT_MAX_BYTES = 64 << 20;
const ERRORS_MAX_CHARS = 4096;

/** Runs the scanner; its report as it printed it. @throws SCAN_FAILED (system); the signal's reason when it was aborted before */
export async function runScanner(
  scanner: ScannerConfig,
  repositories: ManifestReader & BlobReader,
  record: ManifestRecord,
  base: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-scan-'));
  try {
    const needsLayout = scanner.command.some((word) => word.includes('{layout}'));
    if (needsLayout) await writeLayout(folder, repositories, record);
    signal.throwIfAborted();
    const host = base.replace(/^https?:\/\//, '');
    const values: Readonly<Record<string, string>> = {
      image: `${host}/${record.repository}@${record.digest}`,
      repository: record.repository,
      digest: record.digest,
      layout: folder,
    };
    const words = scanner.command.map((word) =>
      word.replace(/\{(image|repository|digest|layout)\}/g, (_, name: string) => values[name] ?? ''),
    );
    return await run(words, folder, scanner.timeoutMs, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An OCI image layout with this one manifest. Blobs that lie in the store as files are linked to, not copied. */
async function writeLayout(
  folder: string,
  repositories: ManifestReader & BlobReader,
  record: ManifestRecord,
): Promise<void> {
  const { repository, digest, mediaType, sizeBytes } = record;
  const seen = new Set<string>();
  const waiting: Digest[] = [digest];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    await placeBlob(folder, repositories, next);
    for (const reference of repositories.references(repository, next)) {
      if (reference.kind === 'manifest') waiting.push(reference.digest);
      else if (!seen.has(reference.digest)) {
        seen.add(reference.digest);
        await placeBlob(folder, repositories, reference.digest);
      }
    }
  }
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const manifests = [{ mediaType, digest, size: sizeBytes }];
  await writeFile(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

async function placeBlob(folder: string, repositories: ManifestReader & BlobReader, digest: Digest): Promise<void> {
  const path = join(folder, 'blobs', algorithmOf(digest), hexOf(digest));
  await mkdir(dirname(path), { recursive: true });
  const local = repositories.localPath(digest);
  if (local === undefined) await pipeline(await repositories.readBlob(digest), createWriteStream(path));
  else await symlink(local, path);
}

/** The program's output. Its whole process group ends with it, or when it must. */
function run(words: readonly string[], cwd: string, timeoutMs: number, signal: AbortSignal): Promise<Buffer> {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let why = '';
  const stop = (reason: string): void => {
    why ||= reason;
    if (child.exitCode === null && child.signalCode === null) killGroup(child);
    // What left the group may hold the pipes open: it is not waited for.
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(() => stop(`it ran over ${timeoutMs} ms`), timeoutMs);
  const abort = (): void => stop('the registry ends');
  signal.addEventListener('abort', abort, { once: true });
  const pieces: Buffer[] = [];
  let bytes = 0;
  let errors = '';
  child.stdout.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > OUTPUT_MAX_BYTES) stop(`it printed over ${OUTPUT_MAX_BYTES} bytes`);
    else pieces.push(piece);
  });
  child.stderr.on('data', (piece: Buffer) => {
    errors = (errors + piece.toString()).slice(-ERRORS_MAX_CHARS);
  });
  return new Promise<Buffer>((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new GantryError('system', 'SCAN_FAILED', `the scanner ${program} failed: ${reason}`));
    child.once('error', (error) => fail(error.message));
    // What it started and left behind goes at once, while the group's number is surely its own.
    child.once('exit', () => killGroup(child));
    child.once('close', (code, name) => {
      if (why !== '') fail(why);
      else if (code === 0) resolve(Buffer.concat(pieces));
      else fail(`${code === null ? `signal ${name}` : `exit code ${code}`}: ${errors.trim()}`);
    });
  }).finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}
