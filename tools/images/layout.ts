// Owns making images out of folders: a layer as a tar, an OCI image layout, a docker-archive. For the embedded image and the
// tests' fixtures; the engine reads images with code of its own, so that neither can hide the other's faults.

import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/** One blob of a layout. `digest` is `sha256:<hex>`. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Layer extends Descriptor {
  /** Digest of the tar before compression. */
  readonly diffId: string;
}

/** The part of an image's configuration that decides how it runs, in OCI's spelling. */
export interface RunConfig {
  readonly Cmd?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly StopSignal?: string;
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
/** The same at every build, so that the same content has the same digest. */
const CREATED = '2024-01-01T00:00:00Z';

/** The path of a blob in the layout `folder`. */
export const blobPath = (folder: string, digest: string): string => join(folder, 'blobs', ...digest.split(':'));

export const sha256 = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** Packs what is in `root` into a compressed layer of the layout `folder`. Names sorted, times kept, file capabilities too. */
export async function packLayer(folder: string, root: string): Promise<Layer> {
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const temporary = join(folder, `.layer-${randomBytes(4).toString('hex')}`);
  const args = [
    '--sort=name',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=security.capability',
    '-C',
    root,
    '-c',
    '--',
  ];
  const tar = spawn('tar', [...args, ...readdirSync(root).sort()], { stdio: ['ignore', 'pipe', 'inherit'] });
  const plain = createHash('sha256');
  const packed = createHash('sha256');
  let size = 0;
  const before = new PassThrough().on('data', (chunk: Buffer) => plain.update(chunk));
  const after = new PassThrough().on('data', (chunk: Buffer) => {
    packed.update(chunk);
    size += chunk.length;
  });
  await pipeline(tar.stdout, before, createGzip({ level: 5 }), after, createWriteStream(temporary));
  if (tar.exitCode !== 0) throw new Error(`tar of ${root} ended with ${tar.exitCode}`);
  const digest = `sha256:${packed.digest('hex')}`;
  renameSync(temporary, blobPath(folder, digest));
  return { mediaType: LAYER, digest, size, diffId: `sha256:${plain.digest('hex')}` };
}

function putJson(folder: string, mediaType: string, value: unknown): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = sha256(bytes);
  writeFileSync(blobPath(folder, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}

/** Finishes the layout `folder` with one image called `name` (with tag); answers its manifest. */
export function writeLayout(folder: string, name: string, layers: readonly Layer[], config: RunConfig): Descriptor {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const image = putJson(folder, CONFIG, {
    created: CREATED,
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created: CREATED, created_by: 'gantry fixture' })),
  });
  const descriptors = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const manifest = putJson(folder, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: image,
    layers: descriptors,
  });
  const tag = name.slice(name.lastIndexOf(':') + 1);
  const annotations = { 'io.containerd.image.name': `docker.io/${name}`, 'org.opencontainers.image.ref.name': tag };
  const index = {
    schemaVersion: 2,
    manifests: [{ ...manifest, annotations, platform: { architecture, os: 'linux' } }],
  };
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  return manifest;
}

/** The manifest of a layout's only image, as its bytes and parsed. */
export function readManifest(folder: string): {
  descriptor: Descriptor;
  bytes: Buffer;
  config: Descriptor;
  layers: Descriptor[];
} {
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: Descriptor[] };
  const descriptor = index.manifests[0];
  if (descriptor === undefined) throw new Error(`${folder} holds no image`);
  const bytes = readFileSync(blobPath(folder, descriptor.digest));
  return { descriptor, bytes, ...(JSON.parse(bytes.toString()) as { config: Descriptor; layers: Descriptor[] }) };
}

/** Writes a layout's image as `docker save` did before OCI layouts: manifest.json, `<hex>.json`, plain `<hex>/layer.tar`. */
export async function writeDockerArchive(folder: string, name: string, tarFile: string): Promise<void> {
  const { config, layers } = readManifest(folder);
  const stage = `${tarFile}.stage`;
  mkdirSync(stage, { recursive: true });
  try {
    const configName = `${config.digest.slice(7)}.json`;
    writeFileSync(join(stage, configName), readFileSync(blobPath(folder, config.digest)));
    const names: string[] = [];
    for (const layer of layers) {
      const hex = layer.digest.slice(7);
      mkdirSync(join(stage, hex));
      names.push(`${hex}/layer.tar`);
      await pipeline(
        createReadStream(blobPath(folder, layer.digest)),
        createGunzip(),
        createWriteStream(join(stage, hex, 'layer.tar')),
      );
    }
    writeFileSync(
      join(stage, 'manifest.json'),
      JSON.stringify([{ Config: configName, RepoTags: [name], Layers: names }]),
    );
    execFileSync('tar', ['-C', stage, '--sort=name', '--mtime=@0', '-cf', tarFile, '.']);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
