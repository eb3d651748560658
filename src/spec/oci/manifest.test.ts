// Checks manifests and indexes: what is ambiguous or no image is refused, and which entry of an index is taken.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGantryError } from '../../lib/errors.ts';
import type { Platform } from '../platform.ts';
import {
  choosePlatform,
  type Descriptor,
  type Manifest,
  MEDIA,
  parseManifest,
  refuseArtifact,
  refusePlugin,
} from './manifest.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const LAYER = { mediaType: `${MEDIA.ociLayer}+gzip`, digest: DIGEST, size: 5 };
const CONFIG = { mediaType: MEDIA.ociConfig, digest: DIGEST, size: 5 };

type Change = Readonly<Record<string, unknown>>;

const bytesOf = (change: Change): Buffer =>
  Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config: CONFIG, layers: [LAYER], ...change }),
  );

function imageWith(change: Change): Manifest & { readonly kind: 'image' } {
  const manifest = parseManifest(bytesOf(change), MEDIA.ociManifest);
  assert.equal(manifest.kind, 'image');
  return manifest as Manifest & { readonly kind: 'image' };
}

const served = `if present, mediaType in manifest should be '${MEDIA.ociManifest}' not`;

/** @source dockerd 28.5: pulls from a registry that serves these, as an OCI manifest; where it crashes, our own words */
const REFUSED: readonly (readonly [Change, string])[] = [
  [
    { layers: 'x' },
    'json: cannot unmarshal string into Go struct field Manifest.layers of type []distribution.Descriptor',
  ],
  [
    { config: 'x' },
    'json: cannot unmarshal string into Go struct field Manifest.config of type distribution.Descriptor',
  ],
  [{ config: null }, 'the manifest names no configuration'],
  [{ schemaVersion: 'x' }, 'json: cannot unmarshal string into Go struct field Manifest.schemaVersion of type int'],
  [
    { layers: [{ ...LAYER, size: 'x' }] },
    'json: cannot unmarshal string into Go struct field Manifest.layers.0.size of type int64',
  ],
  [
    { layers: [{ ...LAYER, size: 1.5 }] },
    'json: cannot unmarshal number 1.5 into Go struct field Manifest.layers.0.size of type int64',
  ],
  [{ layers: [{ ...LAYER, size: -1 }] }, `the size of layer ${DIGEST} is negative: -1`],
  [{ layers: [{ ...LAYER, digest: 'x' }] }, 'could not validate layer digest "x": invalid checksum digest format'],
  [
    { layers: [{ ...LAYER, digest: 'sha256:../../x' }] },
    'could not validate layer digest "sha256:../../x": invalid checksum digest format',
  ],
  [{ layers: [null] }, 'could not validate layer digest "": invalid checksum digest format'],
  [
    { layers: [{ ...LAYER, mediaType: 5 }] },
    'json: cannot unmarshal number into Go struct field Manifest.layers.0.mediaType of type string',
  ],
  [
    { layers: [{ ...LAYER, urls: 5 }] },
    'json: cannot unmarshal number into Go struct field Manifest.layers.0.urls of type []string',
  ],
  [
    { layers: [{ ...LAYER, platform: 'x' }] },
    'json: cannot unmarshal string into Go struct field Manifest.layers.0.platform of type v1.Platform',
  ],
  [
    { annotations: { a: 5 } },
    'json: cannot unmarshal number into Go struct field Manifest.annotations.a of type string',
  ],
  [{ manifests: [] }, 'ocimanifest: expected manifest but found index'],
  [{ mediaType: 'text/html' }, `${served} 'text/html'`],
  [{ mediaType: MEDIA.ociIndex }, `${served} '${MEDIA.ociIndex}'`],
  [{ mediaType: MEDIA.dockerManifest }, `${served} '${MEDIA.dockerManifest}'`],
];

for (const [change, message] of REFUSED) {
  test(`a manifest with ${JSON.stringify(change)} is refused in Docker's words`, () => {
    assert.throws(
      () => parseManifest(bytesOf(change), MEDIA.ociManifest),
      (error) => isGantryError(error, 'invalid') && error.message === message,
    );
  });
}

test('an index that could be read as a manifest too is refused', () => {
  const both = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [], layers: [] }));
  assert.throws(() => parseManifest(both, MEDIA.ociIndex), { message: 'index: expected index but found manifest' });
});

test('a type that the server does not know is the document’s to tell', () => {
  for (const contentType of ['', 'text/plain', 'application/octet-stream']) {
    assert.equal(parseManifest(bytesOf({}), contentType).kind, 'image');
    assert.equal(parseManifest(bytesOf({ mediaType: undefined }), contentType).kind, 'image');
  }
  assert.throws(
    () => parseManifest(bytesOf({ mediaType: 'a/b' }), 'text/plain'),
    /unsupported manifest media type a\/b/,
  );
});

/** Configuration types, and layer types, that stand for something else. @source dockerd 28.5 */
const ARTIFACTS: readonly (readonly [string, string])[] = [
  ['application/vnd.cncf.helm.config.v1+json', 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'],
  ['application/vnd.oci.empty.v1+json', LAYER.mediaType],
  ['application/vnd.wasm.config.v0+json', 'application/wasm'],
  ['text/html; charset=utf-8', LAYER.mediaType],
  ['application/vnd.oci.imagefoo', LAYER.mediaType],
  [CONFIG.mediaType, 'application/vnd.dev.cosign.simplesigning.v1+json'],
  [CONFIG.mediaType, 'application/vnd.in-toto+json'],
];

for (const [config, layer] of ARTIFACTS) {
  test(`what has a configuration ${config} and layers ${layer} is no image`, () => {
    const manifest = imageWith({
      config: { ...CONFIG, mediaType: config },
      layers: [{ ...LAYER, mediaType: layer }],
    });
    assert.throws(
      () => refuseArtifact(manifest),
      (error) =>
        isGantryError(error, 'invalid') &&
        error.message === `unsupported media type ${config === CONFIG.mediaType ? layer : config}` &&
        /helm, oras, cosign/.test(error.hint ?? ''),
    );
  });
}

test('odd types that Docker takes for an image are taken', () => {
  for (const config of ['', 'application/octet-stream', 'application/json', 'text/html', MEDIA.dockerConfig]) {
    refuseArtifact(imageWith({ config: { ...CONFIG, mediaType: config } }));
  }
  const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
  for (const layer of ['', foreign, 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'text/html']) {
    refuseArtifact(imageWith({ layers: [{ ...LAYER, mediaType: layer, urls: ['http://127.0.0.1:1/'] }] }));
  }
});

test('a plugin is told from an image in Docker’s words', () => {
  const manifest = imageWith({ config: { ...CONFIG, mediaType: MEDIA.dockerPlugin } });
  assert.throws(() => refusePlugin(manifest), {
    message: 'Encountered remote "application/vnd.docker.plugin.v1+json"(plugin) when fetching',
  });
});

const entry = (platform: Platform | undefined, annotations = {}): Descriptor => ({
  mediaType: MEDIA.ociManifest,
  digest: DIGEST as Descriptor['digest'],
  size: 5,
  platform,
  annotations,
});
const arm = (variant?: string): Platform => ({ os: 'linux', architecture: 'arm', variant });

test('of several variants the very one is taken, else the newest that runs', () => {
  const entries = [entry(arm('v5')), entry(arm('v7')), entry(arm('v6'))];
  assert.equal(choosePlatform(entries, arm()).platform?.variant, 'v7');
  assert.equal(choosePlatform(entries, arm('v6')).platform?.variant, 'v6');
  assert.equal(choosePlatform(entries, arm('v8')).platform?.variant, 'v7');
  assert.throws(() => choosePlatform([entry(arm('v7'))], arm('v6')), /no matching manifest for linux\/arm\/v6/);
  const attestation = entry(undefined, { 'vnd.docker.reference.type': 'attestation-manifest' });
  assert.throws(() => choosePlatform([attestation], arm()), /no matching manifest/);
});
