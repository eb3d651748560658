// Owns reading and checking one signature as cosign makes it, by public key: simple signing, and sigstore's bundle. Pure.
// Knows no certificates and no transparency log: what counts is that a configured key signed this digest.
// @source cosign specs/SIGNATURE_SPEC.md; sigstore bundle 0.3; DSSE 1.0.2; in-toto Statement 1 (seen from cosign 3)

import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { algorithmOf, type Digest, hexOf } from '../../spec/digest.ts';
import { isRecord } from '../../spec/oci/manifest.ts';

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle\b/;
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
/** A statement of this type says «I signed it»; others attest something else, such as an SBOM. */
const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const IN_TOTO = 'application/vnd.in-toto+json';
/** Of one bundle. */
const SIGNATURES_MAX = 20;
const SIGNATURE_MAX_BYTES = 4096;
const RSA_MIN_BITS = 2048;

/** A public key, by a name that may be shown to anybody. */
export interface NamedKey {
  readonly name: string;
  readonly key: KeyObject;
}

/** Well-formed signatures that say of a digest that it is signed; whether they are true is for `signerOf` to find out. */
export interface Claim {
  /** What was signed; undefined: the manifest's own bytes. */
  readonly data: Buffer | undefined;
  readonly signatures: readonly Buffer[];
}

/** Reads a PEM public key. @throws Error when it is none, is a private one, is too short, or of a kind that signs nothing */
export function parsePublicKey(name: string, pem: string): NamedKey {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw new Error('it is a private key: give the public one');
  const key = createPublicKey(pem);
  const type = key.asymmetricKeyType ?? '';
  if (!['ec', 'rsa', 'rsa-pss', 'ed25519'].includes(type)) throw new Error(`a key of type ${type} is not supported`);
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (bits !== undefined && bits < RSA_MIN_BITS) throw new Error(`an RSA key of ${bits} bits is too short`);
  return { name, key };
}

/** The claim that a simple signing payload makes of `digest`, or undefined. The name that the image had does not matter. */
export function readSimpleSigning(payload: Buffer, signature: string, digest: Digest): Claim | undefined {
  const body = parse(payload);
  const critical = isRecord(body) && isRecord(body.critical) ? body.critical : {};
  const image = isRecord(critical.image) ? critical.image : {};
  if (image['docker-manifest-digest'] !== digest || critical.type !== 'cosign container image signature')
    return undefined;
  return claimOf(payload, [signature]);
}

/** The claim that a sigstore bundle makes of `digest`, or undefined. */
export function readBundle(bytes: Buffer, digest: Digest): Claim | undefined {
  const bundle = parse(bytes);
  if (!isRecord(bundle)) return undefined;
  if (isRecord(bundle.messageSignature)) return claimOf(undefined, [bundle.messageSignature.signature]);
  const envelope = bundle.dsseEnvelope;
  if (!isRecord(envelope) || typeof envelope.payload !== 'string' || envelope.payloadType !== IN_TOTO) return undefined;
  const payload = Buffer.from(envelope.payload, 'base64');
  if (!isStatementOf(parse(payload), digest)) return undefined;
  const entries: readonly unknown[] = Array.isArray(envelope.signatures) ? envelope.signatures : [];
  const signatures = entries.slice(0, SIGNATURES_MAX).map((entry) => (isRecord(entry) ? entry.sig : undefined));
  return claimOf(preAuthenticationEncoding(IN_TOTO, payload), signatures);
}

/** The key that made a claim true, or undefined. `manifest` is what claims without data of their own are over. */
export function signerOf(claim: Claim, manifest: Buffer, keys: readonly NamedKey[]): NamedKey | undefined {
  const data = claim.data ?? manifest;
  return keys.find(({ key }) => claim.signatures.some((signature) => isBy(key, data, signature)));
}

function claimOf(data: Buffer | undefined, texts: readonly unknown[]): Claim | undefined {
  const signatures = texts
    .filter((text) => typeof text === 'string')
    .map((text) => Buffer.from(text, 'base64'))
    .filter(({ length }) => length > 0 && length <= SIGNATURE_MAX_BYTES);
  return signatures.length > 0 ? { data, signatures } : undefined;
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

function isBy(key: KeyObject, data: Buffer, signature: Buffer): boolean {
  return schemesOf(key).some(({ hash, padding }) => {
    try {
      return verify(hash, data, padding === undefined ? key : { key, padding }, signature);
    } catch {
      return false;
    }
  });
}

interface Scheme {
  /** null: the key's own. */
  readonly hash: string | null;
  readonly padding?: number;
}

/** cosign 2 hashes with SHA-256 whatever the key; cosign 3 pairs each curve with the hash of its size. */
function schemesOf(key: KeyObject): readonly Scheme[] {
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return [{ hash: null }];
    case 'rsa':
      return [
        { hash: 'sha256', padding: constants.RSA_PKCS1_PADDING },
        { hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING },
      ];
    case 'rsa-pss':
      return [{ hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING }];
    default: {
      const curve = key.asymmetricKeyDetails?.namedCurve;
      const own = curve === 'secp384r1' ? ['sha384'] : curve === 'secp521r1' ? ['sha512'] : [];
      return [...own, 'sha256'].map((hash) => ({ hash }));
    }
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}
