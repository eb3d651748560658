// Owns the decision what retention removes and why. Pure: facts, rules and a time in, a plan out.

import type { Digest } from '../../spec/digest.ts';
import { companionOf } from '../../spec/oci/companion-tag.ts';
import type { RetentionRule } from '../config/types.ts';
import { fitsAny } from '../glob.ts';

/** A manifest of one repository, as the plan sees it. */
export interface ManifestFacts {
  readonly digest: Digest;
  readonly pushedAtMs: number;
  readonly subject: Digest | undefined;
  /** Manifests that it points at. */
  readonly children: readonly Digest[];
  readonly isSigned: boolean;
}

export interface TagFacts {
  readonly tag: string;
  readonly digest: Digest;
  readonly updatedAtMs: number;
  readonly isImmutable: boolean;
}

export interface RepositoryFacts {
  readonly repository: string;
  readonly manifests: readonly ManifestFacts[];
  readonly tags: readonly TagFacts[];
}

interface Removal {
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly digest: Digest;
  readonly why: string;
}

interface Kept {
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest;
  readonly why: string;
}

export interface RetentionPlan {
  readonly tags: readonly Removal[];
  readonly manifests: readonly Removal[];
  readonly kept: readonly Kept[];
}

/** What goes of one repository. Signed manifests, immutable tags, and what these or anything kept needs, never go. */
export function planRepository(facts: RepositoryFacts, rules: readonly RetentionRule[], nowMs: number): RetentionPlan {
  const { repository } = facts;
  const mine = rules.filter((rule) => fitsAny(repository, rule.repositories));
  if (mine.length === 0) return { tags: [], manifests: [], kept: [] };
  const byDigest = new Map(facts.manifests.map((manifest) => [manifest.digest, manifest]));
  const judged = facts.tags
    .filter(({ tag }) => companionOf(tag) === undefined)
    .map((tag) => ({ ...tag, ...judge(tag, facts, mine, byDigest, nowMs) }));
  const going = judged.filter(({ isKept }) => !isKept);
  const kept = judged.filter(({ isKept }) => isKept);
  const manifests = planManifests(facts, kept, going, mine, nowMs);
  const gone = new Set<string>(manifests.map(({ digest }) => digest));
  const companions = facts.tags.filter(({ tag }) => gone.has(companionOf(tag)?.subject ?? ''));
  return {
    tags: [
      ...going.map(({ tag, digest, why }) => ({ repository, tag, digest, why })),
      ...companions.map(({ tag, digest }) => ({ repository, tag, digest, why: 'belongs to a manifest that goes' })),
    ],
    manifests: [
      ...manifests,
      ...companions
        .filter(({ digest }) => !gone.has(digest))
        .map(({ digest }) => ({ repository, digest, why: 'belongs to a manifest that goes' })),
    ],
    kept: kept.map(({ tag, digest, why }) => ({ repository, tag, digest, why })),
  };
}

function judge(
  tag: TagFacts,
  { tags }: RepositoryFacts,
  rules: readonly RetentionRule[],
  byDigest: ReadonlyMap<Digest, ManifestFacts>,
  nowMs: number,
): { readonly isKept: boolean; readonly why: string } {
  if (tag.isImmutable) return { isKept: true, why: 'immutable' };
  if (byDigest.get(tag.digest)?.isSigned) return { isKept: true, why: 'signed' };
  // A rule that only speaks of untagged manifests says nothing of tags.
  const speaking = rules.filter((rule) => fitsAny(tag.tag, rule.tags) && saysSomethingOfTags(rule));
  if (speaking.length === 0) return { isKept: true, why: 'no rule speaks of it' };
  for (const rule of speaking) {
    if (fitsAny(tag.tag, rule.keepMatching)) return { isKept: true, why: 'matches a pattern to keep' };
    if (rule.keepNewerThanMs !== undefined && nowMs - tag.updatedAtMs < rule.keepNewerThanMs) {
      return { isKept: true, why: 'new enough' };
    }
    if (rule.keepNewest !== undefined && rankOf(tag, tags, rule) < rule.keepNewest) {
      return { isKept: true, why: `one of the newest ${rule.keepNewest}` };
    }
  }
  return { isKept: false, why: 'no rule keeps it' };
}

function saysSomethingOfTags(rule: RetentionRule): boolean {
  return rule.keepNewest !== undefined || rule.keepNewerThanMs !== undefined || rule.keepMatching.length > 0;
}

/** How many tags of the rule are newer. */
function rankOf(tag: TagFacts, tags: readonly TagFacts[], rule: RetentionRule): number {
  return tags.filter(
    (other) =>
      fitsAny(other.tag, rule.tags) &&
      companionOf(other.tag) === undefined &&
      (other.updatedAtMs > tag.updatedAtMs || (other.updatedAtMs === tag.updatedAtMs && other.tag > tag.tag)),
  ).length;
}

/** Manifests that lose their last tag, and old ones without any; not those that something kept needs. */
function planManifests(
  { repository, manifests, tags }: RepositoryFacts,
  kept: readonly TagFacts[],
  going: readonly TagFacts[],
  rules: readonly RetentionRule[],
  nowMs: number,
): readonly Removal[] {
  const tagged = new Set<string>(tags.map(({ digest }) => digest));
  const losing = new Set<string>(going.map(({ digest }) => digest));
  const ages = rules.flatMap((rule) => rule.untaggedOlderThanMs ?? []);
  const untaggedMs = ages.length === 0 ? undefined : Math.max(...ages);
  const isOld = (manifest: ManifestFacts): boolean =>
    untaggedMs !== undefined && !tagged.has(manifest.digest) && nowMs - manifest.pushedAtMs >= untaggedMs;
  const roots = manifests.filter(
    (manifest) =>
      kept.some(({ digest }) => digest === manifest.digest) ||
      manifest.isSigned ||
      !(losing.has(manifest.digest) || isOld(manifest)),
  );
  // What only an index that goes points at goes with it.
  const dependents = new Set(
    manifests.filter((manifest) => losing.has(manifest.digest)).flatMap(({ children }) => children),
  );
  // What speaks of another manifest of the repository lives as long as that one.
  const here = new Set<string>(manifests.map(({ digest }) => digest));
  const livesByItself = (manifest: ManifestFacts): boolean =>
    !dependents.has(manifest.digest) && !(manifest.subject !== undefined && here.has(manifest.subject));
  const keptRoots = roots.filter(
    (manifest) => livesByItself(manifest) || tagged.has(manifest.digest) || manifest.isSigned,
  );
  const needed = closure(keptRoots, manifests);
  return manifests
    .filter((manifest) => !needed.has(manifest.digest))
    .map(({ digest }) => ({ repository, digest, why: losing.has(digest) ? 'its last tag goes' : 'nothing needs it' }));
}

/** Everything that `roots` point at, and what speaks of any of it. */
function closure(roots: readonly ManifestFacts[], all: readonly ManifestFacts[]): ReadonlySet<string> {
  const byDigest = new Map(all.map((manifest) => [manifest.digest, manifest]));
  const referrers = Map.groupBy(
    all.filter(({ subject }) => subject !== undefined),
    ({ subject }) => subject,
  );
  const needed = new Set<string>();
  const waiting = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (needed.has(next.digest)) continue;
    needed.add(next.digest);
    for (const child of next.children) {
      const found = byDigest.get(child);
      if (found) waiting.push(found);
    }
    waiting.push(...(referrers.get(next.digest) ?? []));
  }
  return needed;
}
