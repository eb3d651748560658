// Owns what the rules need to know of a repository: its tags and manifests, and which of them are signed or immutable. Reads only.

import { companionOf } from '../../spec/oci/companion-tag.ts';
import type { ManifestReader, ManifestRecord, RepositoryReader, TagReader, TagRecord } from '../repositories/types.ts';
import type { ImmutableTags } from './immutable.ts';
import type { RepositoryFacts } from './plan.ts';

const PAGE = 500;
/** Artifact types of signatures. @source cosign, sigstore bundle and notation specifications */
const SIGNATURE_TYPE = /^application\/vnd\.(?:dev\.cosign\.|dev\.sigstore\.bundle|cncf\.notary\.signature)/;

/** What the facts are read from. */
export type FactsSource = ManifestReader & TagReader & RepositoryReader;

/** The first repository after a name, in byte order. */
export function nextRepository(repositories: RepositoryReader, after: string): string | undefined {
  return repositories.repositories({ after, limit: 1 })[0];
}

/** Everything in a repository. */
export function factsOf(repositories: FactsSource, repository: string, immutable: ImmutableTags): RepositoryFacts {
  const tags = allOf<TagRecord>(
    (after) => repositories.tagRecords(repository, { after, limit: PAGE }),
    ({ tag }) => tag,
  );
  const manifests = allOf<ManifestRecord>(
    (after) => repositories.manifests(repository, { after, limit: PAGE }),
    ({ digest }) => digest,
  );
  const signed = new Set<string>([
    ...tags.flatMap(({ tag }) => {
      const companion = companionOf(tag);
      return companion?.kind === 'sig' ? [companion.subject] : [];
    }),
    ...manifests.flatMap(({ subject, artifactType }) =>
      subject !== undefined && SIGNATURE_TYPE.test(artifactType) ? [subject] : [],
    ),
  ]);
  return {
    repository,
    tags: tags.map(({ tag, digest, updatedAtMs }) => ({
      tag,
      digest,
      updatedAtMs,
      isImmutable: immutable.includes(repository, tag),
    })),
    manifests: manifests.map(({ digest, pushedAtMs, subject }) => ({
      digest,
      pushedAtMs,
      subject,
      children: repositories
        .references(repository, digest)
        .flatMap((reference) => (reference.kind === 'manifest' ? [reference.digest] : [])),
      isSigned: signed.has(digest),
    })),
  };
}

function allOf<T>(page: (after: string) => readonly T[], keyOf: (row: T) => string): T[] {
  const rows: T[] = [];
  for (let after = ''; ; ) {
    const next = page(after);
    rows.push(...next);
    const last = next.at(-1);
    if (!last || next.length < PAGE) return rows;
    after = keyOf(last);
  }
}
