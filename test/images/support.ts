// Owns what the image tests share: small layers and images made in memory, and a throwaway image capability.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import type { EngineEvent } from '../../src/engine/events/types.ts';
import {
  createImages,
  type ImageProgress,
  type ImagesService,
  type ImageUsers,
} from '../../src/engine/images/index.ts';
import { type ByteString, bytesOfText } from '../../src/lib/bytes.ts';
import { TAR_END, type TarEntryInput, tarHeader, tarPadding } from '../../src/lib/tar/index.ts';
import type { Digest } from '../../src/spec/digest.ts';
import { hostPlatform } from '../../src/spec/platform.ts';
import { digestOf } from '../../src/store/blobs.ts';
import { openDatabase } from '../../src/store/database.ts';

export type Member = Omit<TarEntryInput, 'name' | 'linkName' | 'type'> & {
  readonly name: string | ByteString;
  readonly type?: TarEntryInput['type'];
  readonly linkName?: string;
  readonly data?: string | Buffer;
};

/** A tar of members; a member without a type is a file. */
export function tarOf(...members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ name, type = 'file', linkName = '', data = '', ...rest }) => {
    const bytes = Buffer.from(data);
    const named = { ...rest, name: /[^\0-\xff]/.test(name) ? bytesOfText(name) : (name as ByteString), type };
    return [
      tarHeader({ ...named, linkName: bytesOfText(linkName), size: bytes.length }),
      bytes,
      tarPadding(bytes.length),
    ];
  });
  return Buffer.concat([...parts, TAR_END]);
}

export interface BuiltLayer {
  readonly tar: Buffer;
  readonly diffId: Digest;
  /** As a registry would serve it. */
  readonly blob: Buffer;
  readonly blobDigest: Digest;
  readonly mediaType: string;
}

export function layerOf(tar: Buffer, compression: 'gzip' | 'zstd' | 'none' = 'gzip'): BuiltLayer {
  const blob = compression === 'gzip' ? gzipSync(tar) : compression === 'zstd' ? zstdCompressSync(tar) : tar;
  const suffix = compression === 'none' ? '' : `+${compression}`;
  return {
    tar,
    diffId: digestOf(tar),
    blob,
    blobDigest: digestOf(blob),
    mediaType: `application/vnd.oci.image.layer.v1.tar${suffix}`,
  };
}

export interface BuiltImage {
  readonly config: Buffer;
  readonly id: Digest;
  readonly layers: readonly BuiltLayer[];
  readonly manifest: Buffer;
  readonly manifestDigest: Digest;
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

export function imageOf(
  layers: readonly BuiltLayer[],
  extra: Readonly<Record<string, unknown>> = {},
  mediaType = OCI_MANIFEST,
): BuiltImage {
  const { os, architecture } = hostPlatform();
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os,
      created: '2024-01-02T03:04:05Z',
      config: { Cmd: ['sh'], Env: ['PATH=/bin'], Labels: { l: '1' } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created_by: 'test' })),
      ...extra,
    }),
  );
  const id = digestOf(config);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: id, size: config.length },
      layers: layers.map((layer) => ({
        mediaType: layer.mediaType,
        digest: layer.blobDigest,
        size: layer.blob.length,
      })),
    }),
  );
  return { config, id, layers, manifest, manifestDigest: digestOf(manifest) };
}

/** A docker-archive as `docker save` writes it. */
export function archiveOf(images: readonly { readonly image: BuiltImage; readonly tags: readonly string[] }[]): Buffer {
  const members = new Map<string, Member>();
  const blob = (bytes: Buffer): string => {
    const name = `blobs/sha256/${digestOf(bytes).slice(7)}`;
    members.set(name, { name, data: bytes });
    return name;
  };
  const entries = images.map(({ image, tags }) => ({
    Config: blob(image.config),
    RepoTags: tags.length === 0 ? null : tags,
    Layers: image.layers.map(({ tar }) => blob(tar)),
  }));
  return tarOf(...members.values(), { name: 'manifest.json', data: JSON.stringify(entries) });
}

export interface Workbench extends AsyncDisposable {
  readonly images: ImagesService;
  readonly root: string;
  readonly events: Omit<EngineEvent, 'timeNano'>[];
  readonly progress: ImageProgress[];
  readonly report: (event: ImageProgress) => void;
  /** What lies in the stores, leaving out the fixed files. */
  leftovers(): string[];
  /** Ends the capability and starts it again on the same root. */
  restart(): Promise<ImagesService>;
}

export interface WorkbenchOptions {
  readonly root?: string;
  readonly mirrors?: readonly string[];
  readonly users?: ImageUsers;
  readonly stallMs?: number;
}

/** A throwaway image capability. Its folders go when disposed. */
export function openWorkbench({
  root,
  mirrors = [],
  users = { usersOf: () => [] },
  stallMs = 20_000,
}: WorkbenchOptions = {}): Workbench {
  const base = root ?? mkdtempSync(join(tmpdir(), 'gantry-images-'));
  const events: Omit<EngineEvent, 'timeNano'>[] = [];
  const progress: ImageProgress[] = [];
  const open = () => {
    const db = openDatabase(join(base, 'gantry.db'));
    const service = createImages({
      db,
      contentDir: join(base, 'content'),
      layersDir: join(base, 'layers'),
      registries: { mirrors, insecure: [], maxConcurrentDownloads: 3 },
      users,
      publish: (event) => events.push(event),
      timeouts: { answerMs: stallMs, stallMs },
      retryPauseMs: 20,
    });
    return { db, service };
  };
  let current = open();
  const close = async (): Promise<void> => {
    await current.service[Symbol.asyncDispose]();
    current.db[Symbol.dispose]();
  };
  return {
    get images() {
      return current.service;
    },
    root: base,
    events,
    progress,
    report: (event) => progress.push(event),
    leftovers: () =>
      ['content/blobs/sha256', 'content/ingest', 'layers'].flatMap((folder) =>
        readdirSync(join(base, folder)).map((name) => `${folder}/${name}`),
      ),
    async restart() {
      await close();
      current = open();
      return current.service;
    },
    async [Symbol.asyncDispose]() {
      await close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Loads an image of these layers as `x:1`; resolves to its layer folders, topmost first. */
export async function loadLayers(bench: Workbench, ...layers: readonly BuiltLayer[]): Promise<readonly string[]> {
  const image = imageOf(layers);
  await bench.images.load(streamOf(archiveOf([{ image, tags: ['x:1'] }])), bench.report, NEVER);
  return bench.images.layerPaths(image.id);
}

/** One piece, or several, as a stream. */
export async function* streamOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** `bytes` in pieces of `size`. */
export async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

export const NEVER: AbortSignal = new AbortController().signal;
