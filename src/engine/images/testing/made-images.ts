// Owns the small layers, images and archives that tests make in memory.

import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type ByteString, bytesOfText } from '../../../lib/bytes.ts';
import { TAR_END, type TarEntryInput, tarHeader, tarPadding } from '../../../lib/tar/index.ts';
import type { Digest } from '../../../spec/digest.ts';
import { hostPlatform } from '../../../spec/platform.ts';
import { digestOf } from '../../../store/blobs.ts';

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
