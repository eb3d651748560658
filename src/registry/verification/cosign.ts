// Owns checking one signature as cosign makes it, by public key: simple signing, and sigstore's bundle with a DSSE envelope. Pure.
// Knows no certificates and no transparency log: what counts is that a configured key signed this digest.
// @source cosign specs/SIGNATURE_SPEC.md; sigstore bundle 0.3; DSSE 1.0.2; in-toto Statement 1 (seen from cosign 3)

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Digest } from '../../spec/digest.ts';
import { algorithmOf, hexOf } from '../../spec/digest.ts';
import { isRecord } from '../../spec/oci/manifest.ts';

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle\b/;
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
/** A statement of this type says «I signed it»; others attest something else, such as an SBOM. */
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const IN_TOTO = 'application/vnd.in-toto+json';
const SIGNATURES_MAX = 20;

/** A public key by the name of its file. */
export interface NamedKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** Reads a PEM public key. @throws Error when it is none, or of a kind that signs nothing */
export function parsePublicKey(name: string, pem: string): NamedKey {
  const key = createPublicKey(pem);
  if (!['ec', 'rsa', 'ed25519'].includes(key.asymmetricKeyType ?? '')) {
    throw new Error(`${name}: a key of type ${key.asymmetricKeyType} is not supported`);
  }
  return { name, key };
}

/** The key that made a simple signing signature of `digest`, or undefined. */
export function verifySimpleSigning(
  payload: Buffer,
  signature: string,
  digest: Digest,
  keys: readonly NamedKey[],
): NamedKey | undefined {
  const body = parse(payload);
  const critical = isRecord(body) && isRecord(body.critical) ? body.critical : {};
  const image = isRecord(critical.image) ? critical.image : {};
  if (image['docker-manifest-digest'] !== digest || critical.type !== 'cosign container image signature')
    return undefined;
  return signerOf(payload, signature, keys);
}

/** The key that signed `digest` in a sigstore bundle, or undefined. */
export function verifyBundle(bytes: Buffer, digest: Digest, keys: readonly NamedKey[]): NamedKey | undefined {
  const bundle = parse(bytes);
  const envelope = isRecord(bundle) && isRecord(bundle.dsseEnvelope) ? bundle.dsseEnvelope : undefined;
  if (!envelope || typeof envelope.payload !== 'string' || envelope.payloadType !== IN_TOTO) return undefined;
  const payload = Buffer.from(envelope.payload, 'base64');
  if (!isStatementOf(parse(payload), digest)) return undefined;
  const signed = preAuthenticationEncoding(IN_TOTO, payload);
  const signatures = Array.isArray(envelope.signatures) ? envelope.signatures.slice(0, SIGNATURES_MAX) : [];
  for (const entry of signatures as readonly unknown[]) {
    const signature = isRecord(entry) && typeof entry.sig === 'string' ? entry.sig : '';
    const signer = signerOf(signed, signature, keys);
    if (signer) return signer;
  }
  return undefined;
}

function isStatementOf(statement: unknown, digest: Digest): boolean {
  if (!isRecord(statement) || statement.predicateType !== SIGN_PREDICATE || !Array.isArray(statement.subject))
    return false;
  return statement.subject.some(
    (subject: unknown) =>
      isRecord(subject) && isRecord(subject.digest) && subject.digest[algorithmOf(digest)] === hexOf(digest),
  );
}

/** What a DSSE signature is over. */
function preAuthenticationEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

function signerOf(data: Buffer, signature: string, keys: readonly NamedKey[]): NamedKey | undefined {
  const bytes = Buffer.from(signature, 'base64');
  if (bytes.length === 0 || bytes.length > 4096) return undefined;
  return keys.find(({ key }) => isBy(key, data, bytes));
}

function isBy(key: KeyObject, data: Buffer, signature: Buffer): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ed25519' ? null : hashFor(key), data, key, signature);
  } catch {
    return false;
  }
}

/** sigstore pairs each curve with the hash of its size. */
function hashFor(key: KeyObject): string {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'secp384r1') return 'sha384';
  return curve === 'secp521r1' ? 'sha512' : 'sha256';
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}
