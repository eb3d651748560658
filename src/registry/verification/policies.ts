// Owns the judgement of the policies on a manifest: whether a tag may point at it, whether it may be served. Every rule that speaks of a
// repository must be content. Verdicts are kept until something happens in the repository.

import { GantryError } from '../../lib/errors.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import { companionOf } from '../../spec/oci/companion-tag.ts';
import type { PolicyRule } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { BlobReader, ManifestReader, ManifestRecord, PutManifest, TagReader } from '../repositories/types.ts';
import type { NamedKey } from './cosign.ts';
import { isCompanion, shapeOf, shapeOfBytes } from './evidence.ts';
import { newestReport } from './newest-report.ts';
import { worstOver } from './report.ts';
import { signaturesOf } from './signatures.ts';
import { Verdicts } from './verdicts.ts';

/** A rule with its keys read. */
export interface Policy {
  readonly rule: PolicyRule;
  readonly keys: readonly NamedKey[];
}

/** Evaluates all rules together. */
export class Policies {
  readonly #policies: readonly Policy[];
  readonly #repositories: ManifestReader & TagReader & BlobReader;
  readonly #verdicts = new Verdicts();

  constructor(policies: readonly Policy[], repositories: ManifestReader & TagReader & BlobReader) {
    this.#policies = policies;
    this.#repositories = repositories;
  }

  /** The keys of every rule that speaks of a repository. */
  keysFor(repository: string): readonly NamedKey[] {
    return this.#for(repository).flatMap(({ keys }) => keys);
  }

  /** @throws DENIED when `put` sets a tag on what is not signed as the rules want. By digest everything is accepted, to be signed. */
  async checkPut(put: PutManifest, digest: Digest): Promise<void> {
    const { repository, reference, mediaType, bytes } = put;
    if (parseAnyDigest(reference)) return;
    const strict = this.#for(repository).filter(({ rule }) => rule.acceptOnlySigned);
    if (strict.length === 0) return;
    if (companionOf(reference)) {
      const shape = shapeOfBytes(mediaType, bytes);
      if (!shape.isIndex && !shape.isImage) return;
    }
    for (const { keys } of strict) {
      if (await this.#isSigned(keys, repository, [digest])) continue;
      throw new GantryError(
        'forbidden',
        'DENIED',
        `the policy of ${repository} accepts tags of signed manifests only`,
        {
          params: { repository, digest },
          hint: 'push by digest, sign the digest, then tag it',
        },
      );
    }
  }

  /** Why a manifest is not served to those who only pull, or undefined. */
  refusalOf(repository: string, record: ManifestRecord): Promise<string | undefined> {
    const strict = this.#for(repository).filter(
      ({ rule }) => rule.serveOnlySigned || rule.refuseSeverity !== undefined || rule.refuseUnscanned,
    );
    if (strict.length === 0) return Promise.resolve(undefined);
    return this.#verdicts.get(repository, record.digest, () => this.#judge(strict, record));
  }

  /** Drops the verdicts of a repository after a change in it. */
  forget(repository: string): void {
    this.#verdicts.forget(repository);
  }

  #for(repository: string): readonly Policy[] {
    return this.#policies.filter(({ rule }) => fitsAny(repository, rule.repositories));
  }

  async #judge(policies: readonly Policy[], record: ManifestRecord): Promise<string | undefined> {
    const { repository, digest, mediaType } = record;
    const shape = shapeOf(mediaType, this.#repositories.references(repository, digest));
    if (isCompanion(record, shape, this.#repositories.tagsOf(repository, digest))) return undefined;
    // An entry of a signed index was signed with it.
    const candidates = [digest, ...this.#repositories.parents(repository, digest)];
    for (const { rule, keys } of policies) {
      if (rule.serveOnlySigned && !(await this.#isSigned(keys, repository, candidates)))
        return 'it has no valid signature';
    }
    return shape.isImage ? this.#judgeReport(policies, repository, digest) : undefined;
  }

  async #isSigned(keys: readonly NamedKey[], repository: string, candidates: readonly Digest[]): Promise<boolean> {
    for (const candidate of candidates) {
      if ((await signaturesOf(this.#repositories, repository, candidate, keys)).state === 'valid') return true;
    }
    return false;
  }

  async #judgeReport(policies: readonly Policy[], repository: string, digest: Digest): Promise<string | undefined> {
    const strict = policies.filter(({ rule }) => rule.refuseUnscanned || rule.refuseSeverity !== undefined);
    if (strict.length === 0) return undefined;
    const report = await newestReport(this.#repositories, repository, digest);
    for (const { rule } of strict) {
      if (!report && rule.refuseUnscanned) return 'it was not scanned yet';
      const worst = report && rule.refuseSeverity && worstOver(report.counts, rule.refuseSeverity);
      if (worst) return `its scan found something ${worst}`;
    }
    return undefined;
  }
}
