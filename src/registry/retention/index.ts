// The face of retention: tags that never move, and rules by which old ones go, with a preview.

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { GantryError, isGantryError, messageOf } from '../../lib/errors.ts';
import { companionOf } from '../../spec/oci/companion-tag.ts';
import { Periodic } from '../../store/jobs/index.ts';
import type { RetentionRule } from '../config/types.ts';
import { fits } from '../glob.ts';
import type { Route } from '../http/types.ts';
import type { Guard, ManifestRecord, Repositories, TagRecord } from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';
import { planRepository, type RepositoryFacts, type RetentionPlan } from './plan.ts';

const PAGE = 500;
const DOER = { actor: SYSTEM };
/** Artifact types of signatures. @source cosign, sigstore bundle and notation specifications */
const SIGNATURE_TYPE = /^application\/vnd\.(?:dev\.cosign\.|dev\.sigstore\.bundle|cncf\.notary\.signature)/;

export interface RetentionOptions {
  readonly rules: readonly RetentionRule[];
  /** `repository:tag` globs. */
  readonly immutableTags: readonly string[];
  readonly repositories: Repositories;
  readonly log: Log;
  /** @throws UNSUPPORTED where nothing is deleted */
  readonly checkDelete: () => void;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Retention extends AsyncDisposable {
  readonly guard: Guard;
  readonly routes: readonly Route[];
  /** What would go now, and why. */
  preview(): Promise<RetentionPlan>;
  /** Removes it; what has changed since the plan was made is left alone. */
  apply(signal: AbortSignal): Promise<RetentionPlan>;
  /** Applies every so often; 0 never. */
  start(everyMs: number): void;
}

export function createRetention(options: RetentionOptions): Retention {
  const { repositories, rules, log, now = Date.now } = options;
  const isImmutable = (repository: string, tag: string): boolean =>
    options.immutableTags.some((glob) => {
      const colon = glob.lastIndexOf(':');
      return colon < 0
        ? fits(repository, glob)
        : fits(repository, glob.slice(0, colon)) && fits(tag, glob.slice(colon + 1));
    });
  const aborter = new AbortController();
  let periodic: Periodic | undefined;
  let running: Promise<RetentionPlan> | undefined;
  const preview = async (): Promise<RetentionPlan> => {
    const plans: RetentionPlan[] = [];
    for (let name = first(repositories, ''); name !== undefined; name = first(repositories, name)) {
      plans.push(planRepository(factsOf(repositories, name, isImmutable), rules, now()));
      await yieldToEventLoop();
    }
    return {
      tags: plans.flatMap((plan) => plan.tags),
      manifests: plans.flatMap((plan) => plan.manifests),
      kept: plans.flatMap((plan) => plan.kept),
    };
  };
  const apply = async (signal: AbortSignal): Promise<RetentionPlan> => {
    const plan = await preview();
    for (const { repository, tag = '', digest } of plan.tags) {
      signal.throwIfAborted();
      if (repositories.findManifest(repository, tag)?.digest !== digest) continue;
      await quietly(() => repositories.deleteTag(repository, tag, DOER));
    }
    for (const { repository, digest } of plan.manifests) {
      signal.throwIfAborted();
      if (repositories.tagsOf(repository, digest).length > 0) continue;
      await quietly(() => repositories.deleteManifest(repository, digest, DOER));
    }
    log('info', `retention removed ${plan.tags.length} tags and ${plan.manifests.length} manifests`);
    return plan;
  };
  const once = (signal: AbortSignal): Promise<RetentionPlan> => {
    running ??= apply(signal).finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    guard: options.immutableTags.length === 0 ? {} : immutableGuard(isImmutable),
    preview,
    apply: once,
    start(everyMs) {
      if (everyMs <= 0 || rules.length === 0) return;
      const onError = (error: unknown): void => log('error', `retention: ${messageOf(error)}`);
      periodic = new Periodic({ everyMs, run: () => once(aborter.signal), onError }).start();
    },
    routes: [
      {
        method: 'GET',
        path: '/v2/_gantry/retention/preview',
        right: 'admin',
        label: 'retention',
        handle: async (exchange) => exchange.json(200, await preview()),
      },
      {
        method: 'POST',
        path: '/v2/_gantry/retention/apply',
        right: 'admin',
        label: 'retention',
        handle: async (exchange) => {
          options.checkDelete();
          exchange.json(200, await once(aborter.signal));
        },
      },
    ],
    async [Symbol.asyncDispose]() {
      aborter.abort();
      await periodic?.[Symbol.asyncDispose]();
      await running?.catch(() => undefined);
    },
  };
}

/** Gone or refused since the plan was made: leave it. */
async function quietly(act: () => Promise<void>): Promise<void> {
  await act().catch((error: unknown) => {
    if (!isGantryError(error)) throw error;
  });
}

function immutableGuard(isImmutable: (repository: string, tag: string) => boolean): Guard {
  const refuse = (repository: string, tag: string): void => {
    if (!isImmutable(repository, tag)) return;
    throw new GantryError('forbidden', 'DENIED', `the tag ${tag} is immutable`, { params: { repository, tag } });
  };
  return {
    async beforePut({ repository, reference }, digest, previous) {
      if (previous !== undefined && previous !== digest) refuse(repository, reference);
    },
    beforeDelete(repository, what) {
      if ('tag' in what) refuse(repository, what.tag);
    },
  };
}

function first(repositories: Repositories, after: string): string | undefined {
  return repositories.repositories({ after, limit: 1 })[0];
}

function factsOf(
  repositories: Repositories,
  repository: string,
  isImmutable: (repository: string, tag: string) => boolean,
): RepositoryFacts {
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
      isImmutable: isImmutable(repository, tag),
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
