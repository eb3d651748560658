// Owns content digests as text (`sha256:<64 hex>`). Computes nothing.

declare const brand: unique symbol;

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = string & { readonly [brand]: 'Digest' };

const PATTERN = /^sha256:[0-9a-f]{64}$/;

/** `text` as a digest, or undefined when it is none. Only sha256 is accepted, as by Docker's image store. */
export function parseDigest(text: string): Digest | undefined {
  return PATTERN.test(text) ? (text as Digest) : undefined;
}

/** The digest of 64 hex digits. @throws TypeError on anything else: a bug, not bad input. */
export function digestOfHex(hex: string): Digest {
  const digest = parseDigest(`sha256:${hex}`);
  if (!digest) throw new TypeError(`not a sha256 in hex: ${hex}`);
  return digest;
}

/** The 64 hex digits of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
