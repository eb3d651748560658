// Owns a throwaway registry in this process, on a loopback port of its own, and the few requests that every test makes of one.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCommand } from '../../../src/registry/config/index.ts';
import { type OpenRegistry, openRegistry, type RegistryConfig } from '../../../src/registry/index.ts';

export const OCTETS = 'application/octet-stream';
export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Image {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly descriptor: Descriptor;
}

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A folder that goes away with its owner. */
export function scratch(name = 'registry'): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What `serve` would run with, but for `overrides`. */
export function configFor(root: string, overrides: Partial<RegistryConfig> = {}): RegistryConfig {
  const command = readCommand(['serve', '--addr', '127.0.0.1:0', '--root', root], {});
  if (command.kind !== 'serve') throw new TypeError('serve is no longer a command');
  return { ...command.config, ...overrides };
}

/** One registry and a client of it. */
export class TestRegistry implements AsyncDisposable {
  readonly root: string;
  readonly log: string[] = [];
  /** Sent with every request. */
  headers: Record<string, string> = {};
  #open: OpenRegistry | undefined;
  readonly #config: RegistryConfig;
  readonly #own: Disposable | undefined;

  constructor(config: RegistryConfig, own: Disposable | undefined) {
    this.#config = config;
    this.#own = own;
    this.root = config.root;
  }

  async start(): Promise<this> {
    this.#open = await openRegistry(this.#config, { log: (level, message) => this.log.push(`${level} ${message}`) });
    return this;
  }

  async stop(): Promise<void> {
    await this.#open?.[Symbol.asyncDispose]();
    this.#open = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#own?.[Symbol.dispose]();
  }

  get open(): OpenRegistry {
    if (!this.#open) throw new TypeError('the registry is not running');
    return this.#open;
  }

  get url(): string {
    return this.open.url;
  }

  get address(): string {
    return this.url.replace(/^https?:\/\//, '');
  }

  async call(
    method: string,
    path: string,
    init: { headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<Response> {
    const headers = { ...this.headers, ...init.headers };
    const body = init.body as RequestInit['body'];
    return fetch(new URL(path, this.url), {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    } as RequestInit);
  }

  /** Pushes a blob as POST and PUT. */
  async pushBlob(repository: string, bytes: Uint8Array, mediaType = LAYER): Promise<Descriptor> {
    const digest = sha256(bytes);
    const begun = await this.call('POST', `/v2/${repository}/blobs/uploads/`);
    const location = begun.headers.get('location') ?? '';
    const put = await this.call('PUT', `${location}?digest=${digest}`, {
      body: bytes,
      headers: { 'content-type': OCTETS },
    });
    if (put.status !== 201) throw new Error(`push of a blob: ${put.status} ${await put.text()}`);
    return { mediaType, digest, size: bytes.length };
  }

  async pushManifest(repository: string, reference: string, body: unknown, mediaType = MANIFEST): Promise<Descriptor> {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const put = await this.call('PUT', `/v2/${repository}/manifests/${reference}`, {
      body: bytes,
      headers: { 'content-type': mediaType },
    });
    if (put.status !== 201) throw new Error(`push of a manifest: ${put.status} ${await put.text()}`);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  }

  /** Pushes a small image with `layers` random layers; `more` goes into its manifest, `labels` into its configuration. */
  async pushImage(
    repository: string,
    reference?: string,
    {
      layers = 1,
      more = {},
      labels = {},
      bytes = 1000,
    }: { layers?: number; more?: object; labels?: Record<string, string>; bytes?: number } = {},
  ): Promise<Image> {
    const pushed: Descriptor[] = [];
    for (let i = 0; i < layers; i++) pushed.push(await this.pushBlob(repository, randomBytes(bytes)));
    const facts = {
      os: 'linux',
      architecture: 'amd64',
      created: new Date().toISOString(),
      config: { Labels: labels },
      rootfs: { type: 'layers', diff_ids: [] },
      nonce: randomBytes(8).toString('hex'),
    };
    const config = await this.pushBlob(repository, Buffer.from(JSON.stringify(facts)), CONFIG);
    const body = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: pushed, ...more }),
    );
    const descriptor = await this.pushManifest(repository, reference ?? sha256(body), body);
    return { digest: descriptor.digest, bytes: body, config, layers: pushed, descriptor };
  }
}

/** Starts a registry under a root of its own (or `overrides.root`, which is left alone). */
export async function startRegistry(overrides: Partial<RegistryConfig> = {}): Promise<TestRegistry> {
  const own = overrides.root === undefined ? scratch() : undefined;
  const registry = new TestRegistry(configFor(overrides.root ?? own?.path ?? '', overrides), own);
  try {
    return await registry.start();
  } catch (error) {
    await registry[Symbol.asyncDispose]();
    throw error;
  }
}

/** The codes of an error body. */
export async function codesOf(response: Response): Promise<string[]> {
  const body = (await response.json()) as { errors: { code: string; message: string }[] };
  return body.errors.map(({ code }) => code);
}
