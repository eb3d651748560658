// The face of verification: which manifests may be tagged and served, by signatures and scan reports.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Digest } from '../../spec/digest.ts';
import type { Database } from '../../store/database.ts';
import type { Grant } from '../access/types.ts';
import type { PolicyRule, ScannerConfig } from '../config/types.ts';
import type { Exchange, Route } from '../http/types.ts';
import type {
  BlobReader,
  BlobWriter,
  Guard,
  ManifestReader,
  ManifestRecord,
  ManifestWriter,
  Publisher,
  TagReader,
} from '../repositories/types.ts';
import type { EventListener, Log, RegistryEvent } from '../types.ts';
import { type NamedKey, parsePublicKey } from './cosign.ts';
import { isCompanion, shapeOf } from './evidence.ts';
import { newestReport, type Report } from './newest-report.ts';
import { Policies } from './policies.ts';
import { type ScanState, Scans } from './scans.ts';
import { type SignatureStatus, signaturesIn, signaturesOf, subjectOf } from './signatures.ts';

export interface VerificationOptions {
  readonly policies: readonly PolicyRule[];
  readonly scanners: readonly ScannerConfig[];
  readonly repositories: ManifestReader & TagReader & BlobReader & ManifestWriter & BlobWriter & Publisher;
  readonly database: Database;
  readonly log: Log;
  /** This registry's URL, for scanners that pull. */
  readonly base: () => string;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** What is known of a manifest's safety. */
interface VerificationStatus {
  /** By the keys of the policies that speak of the repository. */
  readonly signature: SignatureStatus;
  readonly report?: Report;
  /** A scan that is still to come, or that failed for good. */
  readonly scan?: ScanState;
}

export interface Verification extends AsyncDisposable {
  readonly guard: Guard;
  readonly listener: EventListener;
  readonly routes: readonly Route[];
  /** @throws DENIED for manifests that a policy keeps from `grant`; who may push is let through, to sign and to scan */
  checkServe(repository: string, record: ManifestRecord, grant: Grant): Promise<void>;
  status(repository: string, digest: Digest): Promise<VerificationStatus>;
  /** Begins to scan what is queued. */
  start(): void;
}

/** Reads the keys of the policies. @throws CONFIG_INVALID naming the file that is no public key */
export function createVerification(options: VerificationOptions): Verification {
  const policies = options.policies.map((rule) => ({ rule, keys: rule.keyFiles.map(readKey) }));
  return new Verifier(options, new Policies(policies, options.repositories));
}

/** Whoever may pull sees which key signed, but not where the key lies. */
function readKey(path: string): NamedKey {
  try {
    return parsePublicKey(basename(path), readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new GantryError('invalid', 'CONFIG_INVALID', `cannot use the key ${path}: ${messageOf(cause)}`, { cause });
  }
}

class Verifier implements Verification {
  readonly #options: VerificationOptions;
  readonly #policies: Policies;
  readonly #scans: Scans;
  readonly guard: Guard;

  constructor(options: VerificationOptions, policies: Policies) {
    this.#options = options;
    this.#policies = policies;
    this.#scans = new Scans({ ...options, now: options.now ?? Date.now });
    this.guard = { beforePut: (put, digest) => policies.checkPut(put, digest) };
  }

  readonly listener: EventListener = (event) => {
    const { action, repository, digest, tag } = event;
    if (action === 'pull') return;
    this.#policies.forget(repository);
    if (action === 'delete' && tag === undefined) this.#scans.forget(repository, digest);
    if (action !== 'push' || event.actor.kind === 'system') return;
    const { repositories } = this.#options;
    const record = repositories.findManifest(repository, digest);
    if (!record) return;
    const subject = subjectOf(record, tag);
    if (subject) setImmediate(() => void this.#tellSigned(event, subject));
    const shape = shapeOf(record.mediaType, repositories.references(repository, digest));
    const isScanned = shape.isImage && !isCompanion(record, shape, tag === undefined ? [] : [tag]);
    if (isScanned) this.#scans.queue(repository, digest);
  };

  start(): void {
    this.#scans.start();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#scans[Symbol.asyncDispose]();
  }

  async checkServe(repository: string, record: ManifestRecord, grant: Grant): Promise<void> {
    if (grant.could('push', repository)) return;
    const why = await this.#policies.refusalOf(repository, record);
    if (why === undefined) return;
    const { digest } = record;
    const message = `the policy of ${repository} refuses this manifest: ${why}`;
    throw new GantryError('forbidden', 'DENIED', message, { params: { repository, digest } });
  }

  async status(repository: string, digest: Digest): Promise<VerificationStatus> {
    const { repositories } = this.#options;
    const signature = await signaturesOf(repositories, repository, digest, this.#policies.keysFor(repository));
    const report = await newestReport(repositories, repository, digest);
    const scan = this.#scans.state(repository, digest);
    return { signature, ...(report ? { report } : {}), ...(scan ? { scan } : {}) };
  }

  /** A signature that a configured key made; where no policy has keys for the repository, any that is well-formed. */
  async #tellSigned(event: RegistryEvent, subject: Digest): Promise<void> {
    const { repositories, log } = this.#options;
    try {
      const keys = this.#policies.keysFor(event.repository);
      const found = await signaturesIn(repositories, event.digest, subject, keys);
      if (keys.length > 0 ? found.keys.length === 0 : !found.isWellFormed) return;
      repositories.publish({ ...event, id: randomUUID(), action: 'sign', subject });
    } catch (error) {
      log('warn', `signature of ${event.repository}@${subject}: ${messageOf(error)}`);
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
    const { name = '', digest: reference = '' } = exchange.parameters;
    const { digest } = this.#options.repositories.manifest(name, reference);
    exchange.json(200, await this.status(name, digest));
  }

  #rescan(exchange: Exchange): void {
    const { name = '', digest: reference = '' } = exchange.parameters;
    const { digest } = this.#options.repositories.manifest(name, reference);
    if (!this.#scans.covers(name)) {
      throw new GantryError('invalid', 'UNSUPPORTED', 'no scanner is configured for the repository');
    }
    this.#scans.queue(name, digest);
    exchange.send(202, {});
  }
}
