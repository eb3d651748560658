// The face of retention: immutable tags, and rules that remove old tags and manifests, with a preview.

import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { isGantryError, messageOf } from '../../lib/errors.ts';
import { Periodic } from '../../store/jobs/index.ts';
import type { RetentionRule } from '../config/types.ts';
import type { Route } from '../http/types.ts';
import type { Deleter, Guard } from '../repositories/types.ts';
import { type Log, SYSTEM } from '../types.ts';
import { type FactsSource, factsOf, nextRepository } from './facts.ts';
import { ImmutableTags } from './immutable.ts';
import { planRepository, type RetentionPlan } from './plan.ts';

const DOER = { actor: SYSTEM };

export interface RetentionOptions {
  readonly rules: readonly RetentionRule[];
  /** `repository:tag` globs. */
  readonly immutableTags: readonly string[];
  readonly repositories: FactsSource & Deleter;
  readonly log: Log;
  /** @throws UNSUPPORTED when the registry does not delete */
  readonly checkDelete: () => void;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Makes retention. Disposing it aborts and awaits a running application of the rules. */
export function createRetention(options: RetentionOptions): Retention {
  return new Retention(options);
}

class Retention implements AsyncDisposable {
  readonly guard: Guard;
  readonly #options: RetentionOptions;
  readonly #immutable: ImmutableTags;
  readonly #now: () => number;
  readonly #aborter = new AbortController();
  #periodic: Periodic | undefined;
  #running: Promise<RetentionPlan> | undefined;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#immutable = new ImmutableTags(options.immutableTags);
    this.#now = options.now ?? Date.now;
    this.guard = this.#immutable.guard();
  }

  get routes(): readonly Route[] {
    const row = (method: Route['method'], verb: string, handle: Route['handle']): Route => ({
      method,
      path: `/v2/_gantry/retention/${verb}`,
      right: 'admin',
      label: 'retention',
      handle,
    });
    return [
      row('GET', 'preview', async (exchange) => exchange.json(200, await this.#preview())),
      row('POST', 'apply', async (exchange) => {
        this.#options.checkDelete();
        exchange.json(200, await this.#applyOnce());
      }),
    ];
  }

  /** Applies the rules at this interval; 0 means never. */
  start(everyMs: number): void {
    const { rules, log } = this.#options;
    if (everyMs <= 0 || rules.length === 0) return;
    const onError = (error: unknown): void => log('error', `retention: ${messageOf(error)}`);
    this.#periodic = new Periodic({ everyMs, run: () => this.#applyOnce(), onError }).start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#aborter.abort();
    await this.#periodic?.[Symbol.asyncDispose]();
    await this.#running?.catch(() => undefined);
  }

  /** What the rules would remove now, and why. */
  async #preview(): Promise<RetentionPlan> {
    const { repositories, rules } = this.#options;
    const plans: RetentionPlan[] = [];
    for (let name = nextRepository(repositories, ''); name !== undefined; name = nextRepository(repositories, name)) {
      plans.push(planRepository(factsOf(repositories, name, this.#immutable), rules, this.#now()));
      await yieldToEventLoop();
    }
    return {
      tags: plans.flatMap((plan) => plan.tags),
      manifests: plans.flatMap((plan) => plan.manifests),
      kept: plans.flatMap((plan) => plan.kept),
    };
  }

  /** One application at a time: a second call joins it. */
  #applyOnce(): Promise<RetentionPlan> {
    this.#running ??= this.#apply(this.#aborter.signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Removes what the plan says, except what has changed since the plan was made. */
  async #apply(signal: AbortSignal): Promise<RetentionPlan> {
    const { repositories, log } = this.#options;
    const plan = await this.#preview();
    for (const { repository, tag = '', digest } of plan.tags) {
      signal.throwIfAborted();
      if (repositories.findManifest(repository, tag)?.digest !== digest) continue;
      await unlessRefused(() => repositories.deleteTag(repository, tag, DOER));
    }
    for (const { repository, digest } of plan.manifests) {
      signal.throwIfAborted();
      if (repositories.tagsOf(repository, digest).length > 0) continue;
      await unlessRefused(() => repositories.deleteManifest(repository, digest, DOER));
    }
    log('info', `retention removed ${plan.tags.length} tags and ${plan.manifests.length} manifests`);
    return plan;
  }
}

/** Ignores a refusal: since the plan was made, the object was removed or became protected. */
async function unlessRefused(act: () => Promise<void>): Promise<void> {
  await act().catch((error: unknown) => {
    if (!isGantryError(error)) throw error;
  });
}
