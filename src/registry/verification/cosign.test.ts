// A signature counts when a key that was configured made it over exactly this digest, and never otherwise.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Digest } from '../../spec/digest.ts';
import { parsePublicKey, verifyBundle, verifySimpleSigning } from './cosign.ts';
import { countFindings, countsIn, countsText, worstOver } from './report.ts';

interface Golden {
  readonly digest: Digest;
  readonly publicKey: string;
  readonly simpleSigning: { readonly payload: string; readonly signature: string };
  readonly bundles: readonly { readonly predicateType: string; readonly bundle: string }[];
}

const golden = JSON.parse(readFileSync(new URL('fixtures/cosign.json', import.meta.url), 'utf8')) as Golden;
const key = parsePublicKey('cosign.pub', golden.publicKey);
const stranger = parsePublicKey(
  'x',
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }) as string,
);
const other = `sha256:${'0'.repeat(64)}` as Digest;
const { payload, signature } = golden.simpleSigning;
const bundleOf = (type: RegExp): Buffer =>
  Buffer.from(golden.bundles.find(({ predicateType }) => type.test(predicateType))?.bundle ?? '');

test('what a real cosign signed is found, in both of its formats', () => {
  assert.equal(
    verifySimpleSigning(Buffer.from(payload), signature, golden.digest, [stranger, key])?.name,
    'cosign.pub',
  );
  assert.equal(verifyBundle(bundleOf(/cosign\/sign/), golden.digest, [stranger, key])?.name, 'cosign.pub');
});

test('another key, another digest, another payload or half a signature is no signature', () => {
  assert.equal(verifySimpleSigning(Buffer.from(payload), signature, golden.digest, [stranger]), undefined);
  assert.equal(verifySimpleSigning(Buffer.from(payload), signature, other, [key]), undefined);
  assert.equal(
    verifySimpleSigning(Buffer.from(payload.replace(golden.digest, other)), signature, other, [key]),
    undefined,
  );
  assert.equal(verifySimpleSigning(Buffer.from(payload), signature.slice(0, 40), golden.digest, [key]), undefined);
  assert.equal(verifySimpleSigning(Buffer.from('{'), signature, golden.digest, [key]), undefined);
  assert.equal(verifyBundle(bundleOf(/cosign\/sign/), other, [key]), undefined);
  assert.equal(verifyBundle(bundleOf(/cosign\/sign/), golden.digest, [stranger]), undefined);
});

test('an attestation of something else is no signature of the image', () => {
  assert.equal(verifyBundle(bundleOf(/attestation/), golden.digest, [key]), undefined);
});

test('only public keys are taken for keys', () => {
  assert.throws(() => parsePublicKey('x', 'nothing'));
  assert.throws(
    () =>
      parsePublicKey('x', generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }) as string),
    /not supported/,
  );
});

test('reports of trivy and grype are counted, and others refused', () => {
  const trivy = countFindings(
    'trivy',
    '{"SchemaVersion":2,"Results":[{"Vulnerabilities":[{"Severity":"CRITICAL"},{"Severity":"UNKNOWN"}]},{}]}',
  );
  assert.deepEqual(trivy, { low: 0, medium: 0, high: 0, critical: 1, unknown: 1 });
  const grype = countFindings(
    'grype',
    '{"matches":[{"vulnerability":{"severity":"Negligible"}},{"vulnerability":{"severity":"Medium"}}]}',
  );
  assert.deepEqual(grype, { low: 1, medium: 1, high: 0, critical: 0, unknown: 0 });
  assert.deepEqual(countsIn({ 'dev.gantry.scan.counts': countsText(grype) }), grype);
  assert.throws(() => countFindings('grype', '{}'), /not of the format/);
  assert.throws(() => countFindings('trivy', 'oops'), /no JSON/);
  assert.equal(worstOver(grype, 'medium'), 'medium');
  assert.equal(worstOver(grype, 'high'), undefined);
});
