// The face of verification: which manifests may be tagged and served, by signatures and scan reports.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { type Digest, parseAnyDigest } from '../../spec/digest.ts';
import type { Database } from '../../store/database.ts';
import type { Grant } from '../access/types.ts';
import type { PolicyRule, ScannerConfig } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { Exchange, Route } from '../http/types.ts';
import type { Guard, ManifestRecord, Repositories } from '../repositories/types.ts';
import type { EventListener, Log, RegistryEvent } from '../types.ts';
import { type NamedKey, parsePublicKey } from './cosign.ts';
import { type Counts, countsIn, REPORT_TYPE, SCANNER_ANNOTATION, type Severity, worstOver } from './report.ts';
import { Scans } from './scans.ts';
import { COMPANION_TAG, isCompanion, type SignatureStatus, signaturesOf, subjectOf } from './signatures.ts';

export interface VerificationOptions {
  readonly policies: readonly PolicyRule[];
  readonly scanners: readonly ScannerConfig[];
  readonly repositories: Repositories;
  readonly database: Database;
  readonly log: Log;
  /** This registry's URL, for scanners that pull. */
  readonly base: () => string;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

export interface Report {
  readonly counts: Counts;
  readonly scanner: string;
  readonly digest: Digest;
}

export interface Verification extends AsyncDisposable {
  readonly guard: Guard;
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  /** @throws DENIED for manifests that a policy keeps from `grant`; who may push is let through, to sign and to scan */
  checkServe(repository: string, record: ManifestRecord, grant: Grant): Promise<void>;
  start(): void;
}

interface Policy {
  readonly rule: PolicyRule;
  readonly keys: readonly NamedKey[];
}

/** Reads the keys of the policies. @throws CONFIG_INVALID naming the file that is no public key */
export function createVerification(options: VerificationOptions): Verification {
  const policies = options.policies.map((rule): Policy => ({ rule, keys: rule.keyFiles.map(readKey) }));
  return new Verifier(options, policies);
}

function readKey(path: string): NamedKey {
  try {
    return parsePublicKey(path, readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new GantryError('invalid', 'CONFIG_INVALID', `cannot use the key ${path}: ${messageOf(cause)}`, { cause });
  }
}

class Verifier implements Verification {
  readonly #options: VerificationOptions;
  readonly #policies: readonly Policy[];
  readonly #scans: Scans;

  constructor(options: VerificationOptions, policies: readonly Policy[]) {
    this.#options = options;
    this.#policies = policies;
    this.#scans = new Scans({ ...options, now: options.now ?? Date.now });
  }

  readonly guard: Guard = {
    beforePut: async ({ repository, reference }, digest) => {
      // By digest everything is accepted: what cannot be pushed cannot be signed.
      if (parseAnyDigest(reference) || COMPANION_TAG.test(reference)) return;
      const policy = this.#policyFor(repository, ({ acceptOnlySigned }) => acceptOnlySigned);
      if (!policy) return;
      const { state } = await signaturesOf(this.#options.repositories, repository, digest, policy.keys);
      if (state === 'valid') return;
      throw new GantryError(
        'forbidden',
        'DENIED',
        `the policy of ${repository} accepts tags of signed manifests only`,
        {
          params: { repository, digest },
          hint: 'push by digest, sign the digest, then tag it',
        },
      );
    },
  };

  readonly listener: EventListener = (event) => {
    if (event.action !== 'push' || event.actor.kind === 'system') return;
    const record = this.#options.repositories.findManifest(event.repository, event.digest);
    if (!record) return;
    const subject = parseAnyDigest(subjectOf(record, event.tag) ?? '');
    if (subject) setImmediate(() => void this.#tellSigned(event, subject));
    else if (!isCompanion(record, event.tag === undefined ? [] : [event.tag]))
      this.#scans.queue(event.repository, event.digest);
  };

  start(): void {
    this.#scans.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scans[Symbol.asyncDispose]();
  }

  async checkServe(repository: string, record: ManifestRecord, grant: Grant): Promise<void> {
    const policy = this.#policyFor(
      repository,
      (rule) => rule.serveOnlySigned || rule.refuseSeverity !== undefined || rule.refuseUnscanned,
    );
    if (!policy || grant.may('push', repository)) return;
    const { repositories } = this.#options;
    if (isCompanion(record, repositories.tagsOf(repository, record.digest))) return;
    if (policy.rule.serveOnlySigned && !(await this.#isSigned(policy, repository, record.digest))) {
      throw denied(repository, record.digest, 'it has no valid signature');
    }
    this.#checkReport(policy.rule, repository, record);
  }

  /** Signed itself, or an entry of an index that is. */
  async #isSigned({ keys }: Policy, repository: string, digest: Digest): Promise<boolean> {
    const { repositories } = this.#options;
    for (const candidate of [digest, ...repositories.parents(repository, digest)]) {
      if ((await signaturesOf(repositories, repository, candidate, keys)).state === 'valid') return true;
    }
    return false;
  }

  #checkReport(rule: PolicyRule, repository: string, record: ManifestRecord): void {
    const isImage = record.summary.platforms.length > 0 && !this.#isIndex(repository, record.digest);
    if (!isImage) return;
    const report = this.#newestReport(repository, record.digest);
    if (!report && rule.refuseUnscanned) throw denied(repository, record.digest, 'it was not scanned yet');
    const worst = report && rule.refuseSeverity && worstOver(report.counts, rule.refuseSeverity as Severity);
    if (worst) throw denied(repository, record.digest, `its scan found something ${worst}`);
  }

  #isIndex(repository: string, digest: Digest): boolean {
    return this.#options.repositories.references(repository, digest).some(({ kind }) => kind === 'manifest');
  }

  /** Of an image itself, or of the index that it belongs to, whichever was pushed last. */
  #newestReport(repository: string, digest: Digest): Report | undefined {
    const { repositories } = this.#options;
    for (const candidate of [digest, ...repositories.parents(repository, digest)]) {
      for (const referrer of repositories.referrers(repository, candidate, REPORT_TYPE).toReversed()) {
        const counts = countsIn(referrer.annotations ?? {});
        if (counts)
          return { counts, scanner: referrer.annotations?.[SCANNER_ANNOTATION] ?? '', digest: referrer.digest };
      }
    }
    return undefined;
  }

  #policyFor(repository: string, speaks: (rule: PolicyRule) => boolean): Policy | undefined {
    return this.#policies.find(({ rule }) => speaks(rule) && fitsAny(repository, rule.repositories));
  }

  async #status(repository: string, digest: Digest): Promise<SignatureStatus> {
    const keys = this.#policies
      .filter(({ rule }) => fitsAny(repository, rule.repositories))
      .flatMap((policy) => policy.keys);
    return signaturesOf(this.#options.repositories, repository, digest, keys);
  }

  /** A signature that a configured key made; where no policy has keys for the repository, any. */
  async #tellSigned(event: RegistryEvent, subject: Digest): Promise<void> {
    try {
      const hasKeys = this.#policies.some(
        ({ rule, keys }) => keys.length > 0 && fitsAny(event.repository, rule.repositories),
      );
      const { state } = await this.#status(event.repository, subject);
      if (hasKeys && state !== 'valid') return;
      this.#options.repositories.publish({ ...event, id: randomUUID(), action: 'sign', subject });
    } catch (error) {
      this.#options.log('warn', `signature of ${event.repository}@${subject}: ${messageOf(error)}`);
    }
  }

  get routes(): readonly Route[] {
    const path = '/v2/_gantry/repositories/{name}';
    return [
      {
        method: 'GET',
        path: `${path}/verification/{digest}`,
        right: 'pull',
        label: 'verification',
        handle: (exchange) => this.#show(exchange),
      },
      {
        method: 'POST',
        path: `${path}/scan/{digest}`,
        right: 'push',
        label: 'verification',
        handle: (exchange) => this.#rescan(exchange),
      },
    ];
  }

  async #show(exchange: Exchange): Promise<void> {
    const { name = '', digest: text = '' } = exchange.parameters;
    const { digest } = this.#options.repositories.manifest(name, text);
    const signature = await this.#status(name, digest);
    const report = this.#newestReport(name, digest);
    exchange.json(200, { signature, ...(report ? { report } : {}) });
  }

  #rescan(exchange: Exchange): void {
    const { name = '', digest: text = '' } = exchange.parameters;
    const { digest } = this.#options.repositories.manifest(name, text);
    if (!this.#options.scanners.some((scanner) => fitsAny(name, scanner.repositories))) {
      throw new GantryError('invalid', 'UNSUPPORTED', 'no scanner is configured for the repository');
    }
    this.#scans.queue(name, digest);
    exchange.send(202, {});
  }
}

function denied(repository: string, digest: Digest, why: string): GantryError {
  return new GantryError('forbidden', 'DENIED', `the policy of ${repository} refuses this manifest: ${why}`, {
    params: { repository, digest },
  });
}
