// Owns a registry in memory that can be told to misbehave: stall, lie, drop the line, demand credentials.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MEDIA } from '../../spec/oci/manifest.ts';

/** An image with all its bytes. */
interface PushedImage {
  readonly config: Buffer;
  readonly id: string;
  readonly layers: readonly { readonly blob: Buffer; readonly blobDigest: string }[];
  readonly manifest: Buffer;
  readonly manifestDigest: string;
}

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers the request itself and returns true, or leaves it to the registry. */
export type Misbehave = (request: IncomingMessage, response: ServerResponse, registry: FakeRegistry) => boolean;

export interface FakeRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  readonly seen: Seen[];
  misbehave: Misbehave | undefined;
  blobs: Map<string, Buffer>;
  manifests: Map<string, { readonly bytes: Buffer; readonly type: string }>;
  /** Pushes an image as `repository:tag`, and by digest. */
  push(repository: string, tag: string, image: PushedImage, type?: string): void;
  pushManifest(repository: string, reference: string, bytes: Buffer, type: string): void;
}

export async function openFakeRegistry(): Promise<FakeRegistry> {
  const server = createServer((request, response) => {
    const { authorization, range } = request.headers;
    registry.seen.push({ method: request.method ?? '', url: request.url ?? '', authorization, range });
    if (registry.misbehave?.(request, response, registry)) return;
    serve(registry, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: FakeRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    misbehave: undefined,
    blobs: new Map(),
    manifests: new Map(),
    push(repository, tag, image, type: string = MEDIA.ociManifest) {
      registry.blobs.set(image.id, image.config);
      for (const layer of image.layers) registry.blobs.set(layer.blobDigest, layer.blob);
      registry.pushManifest(repository, tag, image.manifest, type);
      registry.pushManifest(repository, image.manifestDigest, image.manifest, type);
    },
    pushManifest: (repository, reference, bytes, type) =>
      void registry.manifests.set(`${repository}:${reference}`, { bytes, type }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function serve(registry: FakeRegistry, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  if (url === '/v2/') {
    response.end('{}');
    return;
  }
  const manifest = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url);
  const found = manifest && registry.manifests.get(`${manifest[1]}:${manifest[2]}`);
  if (found) {
    response.setHeader('Content-Type', found.type).end(found.bytes);
    return;
  }
  if (manifest) {
    fail(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    return;
  }
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(url)?.[1];
  if (tags) {
    const names = [...registry.manifests.keys()].filter(
      (key) => key.startsWith(`${tags}:`) && !key.includes('sha256:'),
    );
    response.end(JSON.stringify({ name: tags, tags: names.map((key) => key.slice(tags.length + 1)) }));
    return;
  }
  const blob = registry.blobs.get(/\/blobs\/(.+)$/.exec(url)?.[1] ?? '');
  if (blob) serveBlob(blob, request, response);
  else fail(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
}

export function serveBlob(blob: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from > 0) response.writeHead(206, { 'Content-Range': `bytes ${from}-${blob.length - 1}/${blob.length}` });
  response.end(blob.subarray(from));
}

export function fail(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
