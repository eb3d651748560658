// Owns a throwaway registry (Debian's docker-registry) on loopback, and putting images into it by the registry protocol alone,
// as another tool would. Shares no code with the engine's own client.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { blobPath, type Descriptor, readManifest } from '../../tools/images/layout.ts';
import { cached } from '../fixtures/cache.ts';
import { freePort } from './addresses.ts';
import { must, which } from './commands.ts';
import { eventually } from './patience.ts';

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:port`: what stands before the first slash of an image's name. */
  readonly address: string;
  readonly storage: string;
  /** Pushes a layout's image as `repository:tag`; its digest. */
  push(layout: string, repository: string, tag: string): Promise<string>;
}

export interface RegistryOptions {
  /** Asks for these credentials (basic). */
  readonly user?: string;
  readonly password?: string;
  /** Address to listen on; 127.0.0.1 unless a peer in a namespace of its own must reach it. */
  readonly host?: string;
}

/** docker-registry's program: installed, or unpacked from its package, which would start a service when installed. */
async function program(): Promise<string> {
  const installed = which('docker-registry');
  if (installed !== undefined) return installed;
  const folder = await cached('docker-registry', async (fresh) => {
    const user = ['-o', 'APT::Sandbox::User=root'];
    await must('apt-get', [...user, 'download', '-q', 'docker-registry'], { cwd: fresh, timeoutMs: 180_000 });
    const [archive = ''] = readdirSync(fresh).filter((name) => name.endsWith('.deb'));
    await must('dpkg-deb', ['-x', join(fresh, archive), fresh]);
  });
  return join(folder, 'usr/bin/docker-registry');
}

const config = (storage: string, address: string, htpasswd: string | undefined) => `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${storage} }, delete: { enabled: true } }
http: { addr: "${address}" }
${htpasswd === undefined ? '' : `auth: { htpasswd: { realm: gantry-test, path: ${htpasswd} } }`}
`;

class Pusher {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, options: RegistryOptions) {
    this.#base = base;
    const token = Buffer.from(`${options.user}:${options.password}`).toString('base64');
    this.#headers = options.user === undefined ? {} : { authorization: `Basic ${token}` };
  }

  async #call(method: string, url: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    return fetch(new URL(url, this.#base), { ...init, method, headers });
  }

  async blob(layout: string, repository: string, blob: Descriptor): Promise<void> {
    if ((await this.#call('HEAD', `/v2/${repository}/blobs/${blob.digest}`)).ok) return;
    const begun = await this.#call('POST', `/v2/${repository}/blobs/uploads/`);
    const where = new URL(begun.headers.get('location') ?? '', this.#base);
    where.searchParams.set('digest', blob.digest);
    const body = Readable.toWeb(createReadStream(blobPath(layout, blob.digest))) as unknown as ReadableStream;
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) };
    const put = await this.#call('PUT', where.href, { body, headers, duplex: 'half' } as RequestInit);
    if (put.status !== 201) throw new Error(`push of ${blob.digest}: ${put.status} ${await put.text()}`);
  }

  async manifest(repository: string, tag: string, bytes: Uint8Array<ArrayBuffer>, mediaType: string): Promise<void> {
    const put = await this.#call('PUT', `/v2/${repository}/manifests/${tag}`, {
      body: bytes,
      headers: { 'content-type': mediaType },
    });
    if (put.status !== 201) throw new Error(`push of ${repository}:${tag}: ${put.status} ${await put.text()}`);
  }
}

/** Pushes a layout's only image; its digest. */
async function push(address: string, layout: string, name: string, tag: string, options: RegistryOptions = {}) {
  const pusher = new Pusher(`http://${address}`, options);
  const { descriptor, bytes, config: image, layers } = readManifest(layout);
  for (const blob of [image, ...layers]) await pusher.blob(layout, name, blob);
  await pusher.manifest(name, tag, new Uint8Array(bytes), descriptor.mediaType);
  return descriptor.digest;
}

/** bcrypt is the only hash that docker-registry takes; perl, which every Debian has, knows it from libcrypt. */
async function htpasswdLine(user: string, password: string): Promise<string> {
  const salt = `$2y$05$${randomBytes(11).toString('hex')}`;
  const hash = await must('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, salt]);
  return `${user}:${hash}\n`;
}

/** Starts a registry with storage of its own. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const binary = await program();
  const root = mkdtempSync(join(tmpdir(), `gantry-test-${process.env.GANTRY_TEST_RUN ?? 'dev'}-registry-`));
  const storage = join(root, 'storage');
  const address = `${options.host ?? '127.0.0.1'}:${await freePort()}`;
  const htpasswd = options.user === undefined ? undefined : join(root, 'htpasswd');
  if (htpasswd !== undefined) writeFileSync(htpasswd, await htpasswdLine(options.user ?? '', options.password ?? ''));
  writeFileSync(join(root, 'config.yml'), config(storage, address, htpasswd));
  const child = spawn(binary, ['serve', join(root, 'config.yml')], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await eventually('a registry that answers', async () => {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
    return (await fetch(`http://${address}/v2/`).catch(() => undefined)) !== undefined;
  });
  return {
    address,
    storage,
    push: (layout, repository, tag) => push(address, layout, repository, tag, options),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(root, { recursive: true, force: true });
    },
  };
}
