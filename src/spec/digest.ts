// Owns content digests as text (`sha256:<64 hex>`, in the registry also `sha512:<128 hex>`). Computes nothing.

declare const brand: unique symbol;

/** `sha256:` and 64 lower-case hex digits; where `parseAnyDigest` reads, also `sha512:` and 128. */
export type Digest = string & { readonly [brand]: 'Digest' };

const PATTERN = /^sha256:[0-9a-f]{64}$/;
const ANY = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** `text` as a digest, or undefined when it is none. Only sha256 is accepted, as by Docker's image store. */
export function parseDigest(text: string): Digest | undefined {
  return PATTERN.test(text) ? (text as Digest) : undefined;
}

/** `text` as a digest of either registered algorithm. @source OCI image specification 1.1, descriptor: registered algorithms */
export function parseAnyDigest(text: string): Digest | undefined {
  return ANY.test(text) ? (text as Digest) : undefined;
}

/** The hash that made a digest, by the name that node:crypto knows too. */
export function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The digest of 64 hex digits. @throws TypeError on anything else: a bug, not bad input. */
export function digestOfHex(hex: string): Digest {
  const digest = parseDigest(`sha256:${hex}`);
  if (!digest) throw new TypeError(`not a sha256 in hex: ${hex}`);
  return digest;
}

/** The hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
