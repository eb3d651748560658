// Checks which images are found in an archive, by Docker's form of it and by OCI's, and what is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../../lib/errors.ts';
import { MEDIA } from '../../../spec/oci/manifest.ts';
import { hostPlatform, type Platform } from '../../../spec/platform.ts';
import { familiarReference } from '../../../spec/reference.ts';
import { digestOf } from '../../../store/blobs.ts';
import { createDocuments } from '../documents.ts';
import { badArchive } from '../errors.ts';
import { FakeUnpacker } from '../testing/fake-unpacker.ts';
import { imageNamed } from '../testing/image-bench.ts';
import { type BuiltImage, NEVER } from '../testing/made-images.ts';
import { type ArchivedImage, imagesIn } from './contents.ts';
import type { Spool } from './spool.ts';

type Members = Readonly<Record<string, Buffer | object>>;

/** An archive in memory; what is no buffer is written as JSON. */
function spoolOf(members: Members): Spool {
  const find = (name: string): Buffer => {
    const member = members[name];
    if (member === undefined) throw badArchive(`open ${name}: no such file or directory`);
    return Buffer.isBuffer(member) ? member : Buffer.from(JSON.stringify(member));
  };
  return {
    has: (name) => Object.hasOwn(members, name),
    sizeOf: (name) => find(name).length,
    read: async (name) => find(name),
    open: (name) => [find(name)] as unknown as AsyncIterable<Uint8Array>,
    async [Symbol.asyncDispose]() {},
  };
}

const read = (members: Members, platform?: Platform): Promise<readonly ArchivedImage[]> =>
  imagesIn(spoolOf(members), createDocuments(new FakeUnpacker()), platform, NEVER);

const tagsOf = (images: readonly ArchivedImage[]): string[][] => images.map(({ tags }) => tags.map(familiarReference));

const [A, B] = [imageNamed('a'), imageNamed('b', 'c')];
const blobName = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;
const blobs = (...images: readonly BuiltImage[]): Members =>
  Object.fromEntries(
    images.flatMap(({ id, config, manifest, manifestDigest }) => [
      [blobName(id), config],
      [blobName(manifestDigest), manifest],
    ]),
  );

const bad = (words: RegExp) => (error: unknown) => isGantryError(error, 'invalid') && words.test(error.message);

test('an archive of Docker’s has the images, layers and tags that its manifest.json names', async () => {
  const item = { Config: blobName(A.id), RepoTags: ['a:1', 'r.example/a:2'], Layers: ['x/layer.tar', 'y/layer.tar'] };
  const old = { Config: 'b.json', RepoTags: null, Layers: [] };
  const images = await read({ ...blobs(A), 'b.json': B.config, 'manifest.json': [item, old], 'index.json': {} });
  assert.deepEqual(tagsOf(images), [['a:1', 'r.example/a:2'], []]);
  assert.deepEqual(
    images[0]?.layers.map(({ member, blob }) => [member, blob]),
    [
      ['x/layer.tar', undefined],
      ['y/layer.tar', undefined],
    ],
  );
  assert.deepEqual([await images[0]?.config(), await images[1]?.config()], [A.config, B.config]);
});

test('a configuration whose name promises a digest must have it; one with a free name promises none', async () => {
  const of = (name: string): Members => ({ [name]: B.config, 'manifest.json': [{ Config: name, Layers: [] }] });
  const [named] = await read(of(blobName(A.id)));
  await assert.rejects(async () => named?.config(), bad(/is damaged/));
  const [free] = await read(of(`${'0'.repeat(64)}.json`));
  assert.deepEqual(await free?.config(), B.config);
  const [missing] = await read({ 'manifest.json': [{ Config: 'none.json', Layers: [] }] });
  await assert.rejects(async () => missing?.config(), bad(/open none\.json/));
});

for (const tag of ['a', `a@sha256:${'0'.repeat(64)}`, 'A:1', '']) {
  test(`an archive that tags an image ${JSON.stringify(tag)} is refused`, async () => {
    await assert.rejects(read({ 'manifest.json': [{ Config: 'x', RepoTags: [tag], Layers: [] }] }), bad(/./));
  });
}

const entry = ({ manifest, manifestDigest: digest }: BuiltImage, facts: object = {}): object => ({
  mediaType: MEDIA.ociManifest,
  digest,
  size: manifest.length,
  ...facts,
});
const named = (text: string, key = 'io.containerd.image.name'): object => ({ annotations: { [key]: text } });
const index = (...manifests: readonly object[]): Members => ({
  'index.json': { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests },
});

test('an OCI layout has the images of its index, and each layer must be what its digest says', async () => {
  const images = await read({ ...blobs(A, B), ...index(entry(A), entry(B)) });
  assert.deepEqual(
    images.map(({ layers }) => layers.map(({ blob }) => blob)),
    [A, B].map(({ layers }) => layers.map(({ blobDigest }) => blobDigest)),
  );
  assert.deepEqual(images[1]?.layers[0]?.member, blobName(B.layers[0]?.blobDigest ?? ''));
  assert.deepEqual(await images[0]?.config(), A.config);
});

/** Annotations of an entry, and the tag that they give. */
const NAMES: readonly (readonly [object, readonly string[]])[] = [
  [named('docker.io/library/a:1'), ['a:1']],
  [named('r.example/a:1', 'org.opencontainers.image.ref.name'), ['r.example/a:1']],
  // A bare tag names no repository.
  [named('1', 'org.opencontainers.image.ref.name'), []],
  [{ annotations: { 'io.containerd.image.name': 'x:1', 'org.opencontainers.image.ref.name': 'y:1' } }, ['x:1']],
  [named('docker.io/library/a'), []],
  [named(`docker.io/library/a:1@sha256:${'0'.repeat(64)}`), ['a:1']],
  [{}, []],
];

for (const [facts, tags] of NAMES) {
  test(`an entry of an OCI layout with ${JSON.stringify(facts)} is tagged [${tags.join()}]`, async () => {
    assert.deepEqual(tagsOf(await read({ ...blobs(A), ...index(entry(A, facts)) })), [tags]);
  });
}

test('an image that an OCI layout names twice is one image with both names', async () => {
  const images = await read({ ...blobs(A), ...index(entry(A, named('a:1')), entry(A, named('a:2'))) });
  assert.deepEqual(tagsOf(images), [['a:1', 'a:2']]);
});

const mips: Platform = { os: 'linux', architecture: 'mips' };

test('of a name with one image for each platform the one for this host is taken, or the one asked for', async () => {
  const entries = [
    entry(A, { platform: hostPlatform(), ...named('x:1') }),
    entry(B, { platform: mips, ...named('x:1') }),
  ];
  const members = { ...blobs(A, B), ...index(...entries) };
  const idOf = async (platform?: Platform): Promise<string[]> =>
    Promise.all((await read(members, platform)).map(async ({ config }) => digestOf(await config())));
  assert.deepEqual([await idOf(), await idOf(mips)], [[A.id], [B.id]]);
  const none = read(members, { os: 'linux', architecture: 's390x' });
  await assert.rejects(none, (error) => isGantryError(error, 'notFound') && error.code === 'NO_MATCHING_MANIFEST');
});

test('an index within the index gives the image for this host', async () => {
  const inner = Buffer.from(
    JSON.stringify(index(entry(B, { platform: mips }), entry(A, { platform: hostPlatform() }))['index.json']),
  );
  const digest = digestOf(inner);
  const outer = { mediaType: MEDIA.ociIndex, digest, size: inner.length, ...named('x:1') };
  const images = await read({ ...blobs(A, B), [blobName(digest)]: inner, ...index(outer) });
  assert.deepEqual(tagsOf(images), [['x:1']]);
  assert.deepEqual(await images[0]?.config(), A.config);
});

/** Indexes within indexes, `depth` of them. */
function nested(depth: number): Members {
  let members: Members = { ...blobs(A), ...index(entry(A)) };
  for (let i = 0; i < depth; i++) {
    const bytes = Buffer.from(JSON.stringify(members['index.json']));
    const digest = digestOf(bytes);
    const outer = { mediaType: MEDIA.ociIndex, digest, size: bytes.length };
    members = { ...members, [blobName(digest)]: bytes, ...index(outer) };
  }
  return members;
}

const REFUSED: readonly (readonly [string, Members, RegExp])[] = [
  ['nothing that we know', { 'etc/passwd': Buffer.from('') }, /neither manifest\.json nor index\.json is in it/],
  ['an index.json that is a manifest', { 'index.json': A.manifest }, /index/],
  ['a manifest that is not there', index(entry(A)), /open blobs\/sha256/],
  ['a manifest of other bytes', { ...index(entry(A)), [blobName(A.manifestDigest)]: B.manifest }, /is damaged/],
  ['indexes nested too deeply', nested(5), /indexes are nested too deeply/],
  ['a manifest.json that is none', { 'manifest.json': {} }, /./],
];

for (const [what, members, words] of REFUSED) {
  test(`an archive with ${what} is refused in words`, () => assert.rejects(read(members), bad(words)));
}

test('indexes nested a little are read', async () => assert.equal((await read(nested(3))).length, 1));

test('who loads a file system, or an archive of old, is told what to do', async () => {
  const hintOf = async (members: Members): Promise<string> => {
    const error: unknown = await read(members).catch((thrown: unknown) => thrown);
    return isGantryError(error) ? (error.hint ?? '') : '';
  };
  assert.match(await hintOf({ 'bin/sh': Buffer.from('') }), /imported, not loaded/);
  assert.match(await hintOf({ repositories: {} }), /before 1\.10 are not supported/);
});
