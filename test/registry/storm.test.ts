// Thirty-two clients push, mount, pull, delete and collect while the registry is killed again and again: what was acknowledged is
// there and whole at the end, and nothing else takes space.

import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryProgram } from './support/program.ts';
import { CONFIG, LAYER, MANIFEST, scratch, sha256 } from './support/registry.ts';

const CLIENTS = 32;
const KILLS = 5;
/** The least of every life. */
const LIFE_MS = 1200;
const PUSHES_OF_LIFE = 20;
const DELETES_OF_LIFE = 4;

interface Piece {
  readonly digest: string;
  readonly bytes: Buffer;
}

interface Content {
  readonly repository: string;
  readonly manifest: Buffer;
  readonly blobs: readonly Piece[];
}

/** An answer of the wanted status, or undefined: then nothing was acknowledged. */
async function ask(url: string, wanted: number, init: RequestInit = {}): Promise<Response | undefined> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) }).catch(() => undefined);
  if (answer?.status === wanted) return answer;
  await answer?.arrayBuffer().catch(() => undefined);
  return undefined;
}

class Client {
  readonly #base: string;
  readonly #shared: readonly Piece[];
  /** Acknowledged and not deleted, by manifest digest. */
  readonly kept = new Map<string, Content>();
  readonly #repository: string;
  pushes = 0;
  deletes = 0;

  constructor(base: string, id: number, shared: readonly Piece[]) {
    this.#base = base;
    this.#shared = shared;
    this.#repository = `storm/client${id}`;
  }

  async step(): Promise<void> {
    const dice = randomInt(10);
    if (dice < 5) await this.#push();
    else if (dice < 7) await this.#delete();
    else if (dice < 9) await this.#pull();
    else await ask(`${this.#base}/v2/_gantry/gc`, 200, { method: 'POST' });
  }

  async #blob(bytes: Buffer): Promise<boolean> {
    const digest = sha256(bytes);
    const repository = `${this.#base}/v2/${this.#repository}/blobs`;
    if (await ask(`${repository}/${digest}`, 200, { method: 'HEAD' })) return true;
    const from = `storm/client${randomInt(CLIENTS)}`;
    if (await ask(`${repository}/uploads/?mount=${digest}&from=${from}`, 201, { method: 'POST' })) return true;
    const begun = await ask(`${repository}/uploads/`, 202, { method: 'POST' });
    const location = begun?.headers.get('location');
    if (!location) return false;
    const half = Math.floor(bytes.length / 2);
    if (
      !(await ask(`${this.#base}${location}`, 202, { method: 'PATCH', body: new Uint8Array(bytes.subarray(0, half)) }))
    )
      return false;
    const put = await ask(`${this.#base}${location}?digest=${digest}`, 201, {
      method: 'PUT',
      body: new Uint8Array(bytes.subarray(half)),
    });
    return put !== undefined;
  }

  async #push(): Promise<void> {
    const config = Buffer.from(
      JSON.stringify({ os: 'linux', architecture: 'amd64', nonce: randomBytes(8).toString('hex') }),
    );
    const layers = [
      randomBytes(randomInt(1000, 60_000)),
      this.#shared[randomInt(this.#shared.length)]?.bytes ?? config,
    ];
    for (const bytes of [config, ...layers]) if (!(await this.#blob(bytes))) return;
    const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
    const body = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: describe(CONFIG, config),
      layers: layers.map((bytes) => describe(LAYER, bytes)),
    };
    const manifest = Buffer.from(JSON.stringify(body));
    const url = `${this.#base}/v2/${this.#repository}/manifests/t${randomInt(5)}`;
    if (
      !(await ask(url, 201, { method: 'PUT', body: new Uint8Array(manifest), headers: { 'content-type': MANIFEST } }))
    )
      return;
    const blobs = [config, ...layers].map((bytes) => ({ digest: sha256(bytes), bytes }));
    this.kept.set(sha256(manifest), { repository: this.#repository, manifest, blobs });
    this.pushes++;
  }

  async #delete(): Promise<void> {
    const [digest] = this.kept.keys();
    if (digest === undefined) return;
    // From here on nothing is promised of it, whatever the answer.
    this.kept.delete(digest);
    if (await ask(`${this.#base}/v2/${this.#repository}/manifests/${digest}`, 202, { method: 'DELETE' }))
      this.deletes++;
  }

  async #pull(): Promise<void> {
    const content = [...this.kept.values()].at(-1);
    const blob = content?.blobs[0];
    if (!content || !blob) return;
    const answer = await ask(`${this.#base}/v2/${content.repository}/blobs/${blob.digest}`, 200);
    const bytes = answer && Buffer.from(await answer.arrayBuffer().catch(() => new ArrayBuffer(0)));
    if (bytes && bytes.length === blob.bytes.length) assert.equal(sha256(bytes), blob.digest);
  }
}

function bytesUnder(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0);
}

test('a storm with kill -9 loses nothing and leaves nothing', async () => {
  using folder = scratch('storm');
  const config = join(folder.path, 'config.yml');
  writeFileSync(
    config,
    'garbage: { grace: 20s, every: 200ms }\nlog: { level: error, accesslog: { disabled: true } }\n',
  );
  const root = join(folder.path, 'root');
  await using program = await RegistryProgram.start('--root', root, '--config', config);
  const shared = Array.from({ length: 6 }, () => randomBytes(100_000)).map((bytes) => ({
    digest: sha256(bytes),
    bytes,
  }));
  const clients = Array.from({ length: CLIENTS }, (_, id) => new Client(program.url, id, shared));
  let isOver = false;
  const loops = clients.map(async (client) => {
    while (!isOver) {
      await client.step();
      await sleep(5);
    }
  });
  const sum = (of: (client: Client) => number): number => clients.reduce((total, client) => total + of(client), 0);
  /** A life is as long as it takes: a slow machine gets the same storm. */
  const live = async (): Promise<void> => {
    const pushes = sum((client) => client.pushes) + PUSHES_OF_LIFE;
    const deletes = sum((client) => client.deletes) + DELETES_OF_LIFE;
    await sleep(LIFE_MS);
    while (sum((client) => client.pushes) < pushes || sum((client) => client.deletes) < deletes) await sleep(20);
  };
  for (let kill = 0; kill < KILLS; kill++) {
    await live();
    await program.kill();
    await program.start();
  }
  await live();
  isOver = true;
  await Promise.all(loops);
  await wholeAndThere(
    program.url,
    clients.flatMap(({ kept }) => [...kept.values()]),
  );
  // What only a grace period or an unfinished upload held goes when these end, which a restart with shorter ones is.
  await program.kill('SIGTERM');
  const { manifests } = JSON.parse(readFileSync(join(root, 'content', 'index.json'), 'utf8')) as {
    manifests: { digest: string }[];
  };
  const inLayout = new Set(manifests.map(({ digest }) => digest));
  for (const { kept } of clients) for (const digest of kept.keys()) assert.ok(inLayout.has(digest), digest);
  writeFileSync(
    config,
    'garbage: { grace: 1ms, every: 100ms }\nstorage: { maintenance: { uploadpurging: { age: 1ms } } }\nlog: { level: error, accesslog: { disabled: true } }\n',
  );
  await program.start();
  for (let round = 0; round < 3; round++) await ask(`${program.url}/v2/_gantry/gc`, 200, { method: 'POST' });
  const referenced = await referencedBytes(program.url);
  const used = bytesUnder(join(root, 'content', 'blobs')) + bytesUnder(join(root, 'uploads'));
  assert.ok(Math.abs(used - referenced) <= referenced / 100, `${used} bytes on disk, ${referenced} referenced`);
});

async function wholeAndThere(base: string, contents: readonly Content[]): Promise<void> {
  assert.ok(contents.length > 20);
  for (const { repository, manifest, blobs } of contents) {
    const answer = await fetch(`${base}/v2/${repository}/manifests/${sha256(manifest)}`);
    assert.equal(answer.status, 200, `${repository}@${sha256(manifest)}`);
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), sha256(manifest));
    for (const { digest } of blobs) {
      const blob = await fetch(`${base}/v2/${repository}/blobs/${digest}`);
      assert.equal(sha256(Buffer.from(await blob.arrayBuffer())), digest, `a blob of ${repository}`);
    }
  }
}

/** The bytes of every manifest that is there, and of what these point at, each once. */
async function referencedBytes(base: string): Promise<number> {
  const sizes = new Map<string, number>();
  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${base}${path}`)).json()) as T;
  const { results } = await get<{ results: { repository: string }[] }>('/v2/_gantry/search?n=100&q=storm');
  const { repositories } = await get<{ repositories: string[] }>('/v2/_catalog');
  assert.ok(results.length > 0);
  for (const repository of repositories) {
    for (const digest of await manifestsOf(base, repository)) {
      const record = await get<{ manifestBytes: number; references: { digest: string; sizeBytes: number }[] }>(
        `/v2/_gantry/repositories/${repository}/manifests/${digest}`,
      );
      sizes.set(digest, record.manifestBytes);
      for (const reference of record.references) sizes.set(reference.digest, reference.sizeBytes);
    }
  }
  return [...sizes.values()].reduce((total, size) => total + size, 0);
}

async function manifestsOf(base: string, repository: string): Promise<string[]> {
  const answer = await fetch(`${base}/v2/_gantry/repositories/${repository}/manifests?n=500`);
  return ((await answer.json()) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest);
}
