// Owns reading the data folder of a docker-registry: its repositories, links and blobs. Follows no symlink, believes no link.
// @source distribution 2.8, registry/storage/paths.go (seen on disk)

import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { algorithmOf, type Digest, hexOf, parseAnyDigest } from '../../spec/digest.ts';
import { isRepositoryName, isTagName } from '../../spec/oci/names.ts';

const LINK_MAX_BYTES = 256;
const DEPTH_MAX = 40;

/** One docker-registry's `docker/registry/v2` folder. */
export class DistributionTree {
  readonly #base: string;

  constructor(root: string) {
    this.#base = join(root, 'docker', 'registry', 'v2');
  }

  /** True when there is such a tree. */
  async exists(): Promise<boolean> {
    return isFolder(join(this.#base, 'repositories'));
  }

  /** Names of repositories, in no order. */
  async *repositories(): AsyncGenerator<string> {
    yield* this.#below('', 0);
  }

  async *#below(name: string, depth: number): AsyncGenerator<string> {
    if (depth > DEPTH_MAX) return;
    for (const entry of await foldersIn(join(this.#base, 'repositories', name))) {
      if (entry === '_manifests' && isRepositoryName(name)) yield name;
      if (!entry.startsWith('_')) yield* this.#below(name === '' ? entry : `${name}/${entry}`, depth + 1);
    }
  }

  /** Digests of the manifests of a repository. */
  manifests(repository: string): Promise<readonly Digest[]> {
    return this.#links(join(this.#base, 'repositories', repository, '_manifests', 'revisions'));
  }

  /** Digests of the blobs that may be read through a repository. */
  layers(repository: string): Promise<readonly Digest[]> {
    return this.#links(join(this.#base, 'repositories', repository, '_layers'));
  }

  async tags(repository: string): Promise<ReadonlyMap<string, Digest>> {
    const folder = join(this.#base, 'repositories', repository, '_manifests', 'tags');
    const tags = new Map<string, Digest>();
    for (const tag of await foldersIn(folder)) {
      const digest = isTagName(tag) ? await readLink(join(folder, tag, 'current', 'link')) : undefined;
      if (digest) tags.set(tag, digest);
    }
    return tags;
  }

  /** A blob, open, with its size; undefined when it is missing or no plain file. */
  async blob(digest: Digest): Promise<{ readonly file: FileHandle; readonly sizeBytes: number } | undefined> {
    const hex = hexOf(digest);
    const path = join(this.#base, 'blobs', algorithmOf(digest), hex.slice(0, 2), hex, 'data');
    return openPlain(path);
  }

  async #links(folder: string): Promise<readonly Digest[]> {
    const digests: Digest[] = [];
    for (const algorithm of ['sha256', 'sha512']) {
      for (const hex of await foldersIn(join(folder, algorithm))) {
        // A deleted manifest keeps its folder and loses its link.
        const digest = await readLink(join(folder, algorithm, hex, 'link'));
        if (digest) digests.push(digest);
      }
    }
    return digests;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

async function foldersIn(path: string): Promise<string[]> {
  if (!(await isFolder(path))) return [];
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function openPlain(path: string): Promise<{ readonly file: FileHandle; readonly sizeBytes: number } | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (!file) return undefined;
  const facts = await file.stat();
  if (facts.isFile()) return { file, sizeBytes: facts.size };
  await file.close();
  return undefined;
}

async function readLink(path: string): Promise<Digest | undefined> {
  const found = await openPlain(path);
  if (!found) return undefined;
  try {
    if (found.sizeBytes > LINK_MAX_BYTES) return undefined;
    return parseAnyDigest((await found.file.readFile('utf8')).trim());
  } finally {
    await found.file.close();
  }
}
