// A signature counts when a key that was configured made it over exactly this digest, and never otherwise.

import assert from 'node:assert/strict';
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Digest } from '../../spec/digest.ts';
import { type Claim, type NamedKey, parsePublicKey, readBundle, readSimpleSigning, signerOf } from './cosign.ts';

interface SimpleSigning {
  readonly payload: string;
  readonly signature: string;
}

interface Golden {
  readonly digest: Digest;
  readonly publicKey: string;
  readonly simpleSigning: SimpleSigning;
  readonly bundles: readonly { readonly predicateType: string; readonly bundle: string }[];
}

interface GoldenKeys {
  readonly digest: Digest;
  readonly signers: readonly {
    readonly kind: string;
    readonly publicKey: string;
    readonly simpleSigning: SimpleSigning;
    readonly bundle: string;
  }[];
}

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8'));
const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string;

const golden = fixture('cosign') as Golden;
const goldenKeys = fixture('cosign-keys') as GoldenKeys;
const key = parsePublicKey('cosign.pub', golden.publicKey);
const stranger = parsePublicKey('x', pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey));
const other = `sha256:${'0'.repeat(64)}` as Digest;
const NOTHING = Buffer.alloc(0);
const signerIn = (claim: Claim | undefined, keys: readonly NamedKey[], manifest = NOTHING): string | undefined =>
  claim && signerOf(claim, manifest, keys)?.name;
const { payload, signature } = golden.simpleSigning;
const simple = (text: string, by: string, digest: Digest) => readSimpleSigning(Buffer.from(text), by, digest);
const bundleOf = (type: RegExp): Buffer =>
  Buffer.from(golden.bundles.find(({ predicateType }) => type.test(predicateType))?.bundle ?? '');

test('what a real cosign signed is found, in both of its formats', () => {
  assert.equal(signerIn(simple(payload, signature, golden.digest), [stranger, key]), 'cosign.pub');
  assert.equal(signerIn(readBundle(bundleOf(/cosign\/sign/), golden.digest), [stranger, key]), 'cosign.pub');
});

test('what a real cosign signed with P-384 and RSA keys is found, in both of its formats', () => {
  const { digest, signers } = goldenKeys;
  assert.deepEqual(
    signers.map(({ kind }) => kind),
    ['p384', 'rsa'],
  );
  for (const { kind, publicKey, simpleSigning, bundle } of signers) {
    const own = parsePublicKey(kind, publicKey);
    assert.equal(signerIn(simple(simpleSigning.payload, simpleSigning.signature, digest), [key, own]), kind);
    assert.equal(signerIn(readBundle(Buffer.from(bundle), digest), [key, own]), kind);
    assert.equal(signerIn(readBundle(Buffer.from(bundle), digest), [key, stranger]), undefined);
  }
});

test('another key, another digest, another payload or half a signature is no signature', () => {
  assert.equal(signerIn(simple(payload, signature, golden.digest), [stranger]), undefined);
  assert.equal(simple(payload, signature, other), undefined);
  assert.equal(signerIn(simple(payload.replace(golden.digest, other), signature, other), [key]), undefined);
  assert.equal(signerIn(simple(payload, signature.slice(0, 40), golden.digest), [key]), undefined);
  assert.equal(simple(payload, '', golden.digest), undefined);
  assert.equal(simple('{', signature, golden.digest), undefined);
  assert.equal(simple(payload.replace('cosign container image', 'another'), signature, golden.digest), undefined);
  assert.equal(readBundle(bundleOf(/cosign\/sign/), other), undefined);
  assert.equal(signerIn(readBundle(bundleOf(/cosign\/sign/), golden.digest), [stranger]), undefined);
  assert.equal(readBundle(bundleOf(/cosign\/sign/).subarray(0, 300), golden.digest), undefined);
});

test('every byte of a signed payload counts', () => {
  const bytes = Buffer.from(payload);
  for (let i = 0; i < bytes.length; i += 7) {
    const flipped = Buffer.from(bytes);
    flipped[i] = (flipped[i] ?? 0) ^ 1;
    assert.equal(signerIn(readSimpleSigning(flipped, signature, golden.digest), [key]), undefined, `byte ${i}`);
  }
});

test('an attestation of something else is no signature of the image', () => {
  assert.equal(readBundle(bundleOf(/attestation/), golden.digest), undefined);
});

test('a bundle with a message signature is over the manifest that was signed and no other', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = parsePublicKey('own', pemOf(publicKey));
  const manifest = Buffer.from('{"schemaVersion":2}');
  const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}` as Digest;
  const text = { messageSignature: { signature: sign('sha256', manifest, privateKey).toString('base64') } };
  const claim = readBundle(Buffer.from(JSON.stringify(text)), digest);
  assert.equal(signerIn(claim, [own], manifest), 'own');
  assert.equal(signerIn(claim, [own], Buffer.from('{"schemaVersion":3}')), undefined);
  assert.equal(signerIn(claim, [stranger], manifest), undefined);
});

test('keys of every supported kind verify what they signed, by either padding or hash', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const ed25519 = generateKeyPairSync('ed25519');
  const data = Buffer.from(payload);
  const signed: readonly (readonly [KeyObject, Buffer])[] = [
    [rsa.publicKey, sign('sha256', data, rsa.privateKey)],
    [
      rsa.publicKey,
      sign('sha256', data, {
        key: rsa.privateKey,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }),
    ],
    [pss.publicKey, sign('sha256', data, pss.privateKey)],
    [p384.publicKey, sign('sha256', data, p384.privateKey)],
    [p384.publicKey, sign('sha384', data, p384.privateKey)],
    [ed25519.publicKey, sign(null, data, ed25519.privateKey)],
  ];
  for (const [publicKey, bytes] of signed) {
    const own = parsePublicKey('own', pemOf(publicKey));
    const claim = simple(payload, bytes.toString('base64'), golden.digest);
    assert.equal(signerIn(claim, [own]), 'own', String(publicKey.asymmetricKeyType));
    assert.equal(signerIn(claim, [stranger]), undefined);
  }
});

test('only public keys that are good enough are taken for keys', () => {
  assert.throws(() => parsePublicKey('x', 'nothing'));
  assert.throws(() => parsePublicKey('x', pemOf(generateKeyPairSync('x25519').publicKey)), /not supported/);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  assert.throws(() => parsePublicKey('x', secret), /private key/);
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
  assert.throws(() => parsePublicKey('x', pemOf(short.publicKey)), /too short/);
});
