// Owns the tags under which cosign keeps what belongs to a manifest, beside it in its repository. Pure.
// @source cosign, specs/SIGNATURE_SPEC.md

import { type Digest, parseAnyDigest } from '../digest.ts';

const KINDS = ['sig', 'att', 'sbom'] as const;
const PATTERN = /^(sha256|sha512)-([0-9a-f]{64,128})\.(sig|att|sbom)$/;

/** What lies under such a tag: signatures, attestations, an SBOM. */
export type CompanionKind = (typeof KINDS)[number];

/** The manifest that the tag's content belongs to, or undefined when it is a tag like any other. */
export function companionOf(tag: string): { readonly subject: Digest; readonly kind: CompanionKind } | undefined {
  const match = PATTERN.exec(tag);
  const subject = parseAnyDigest(`${match?.[1]}:${match?.[2]}`);
  return subject && { subject, kind: match?.[3] as CompanionKind };
}

export function companionTag(subject: Digest, kind: CompanionKind): string {
  return `${subject.replace(':', '-')}.${kind}`;
}

/** Every tag that may belong to a manifest. */
export function companionTags(subject: Digest): readonly string[] {
  return KINDS.map((kind) => companionTag(subject, kind));
}
