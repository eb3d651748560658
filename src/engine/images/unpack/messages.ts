// Owns the messages between the main thread and an unpack worker. No behaviour.

import type { SentError } from '../../../lib/thread-error.ts';
import type { ArchiveItem } from '../../../spec/oci/archive-manifest.ts';
import type { ImageFacts } from '../../../spec/oci/image-config.ts';
import type { Manifest } from '../../../spec/oci/manifest.ts';
import type { Replaced } from './tree.ts';

/** Where a layer is written before it is known to be whole. All of it is removed by the worker when the job fails. */
export interface UnpackTarget {
  readonly directory: string;
  readonly skeleton: string;
  readonly replaced: string;
}

export interface UnpackResult {
  /** sha256 in hex of the bytes as they came, and of the plain tar. */
  readonly compressedHex: string;
  readonly plainHex: string;
  readonly compressedBytes: number;
  readonly plainBytes: number;
  /** Sum of the files' and symlinks' sizes. */
  readonly sizeBytes: number;
  readonly replaced: readonly Replaced[];
}

/** A layer on disk that is to be compared with what was unpacked. */
export interface CheckRequest {
  readonly target: UnpackTarget;
  readonly replaced: readonly Replaced[];
  /** sha256 in hex of its plain tar, and its length. */
  readonly plainHex: string;
  readonly plainBytes: number;
}

/** What is wrong with a layer on disk; undefined when nothing is. */
export interface CheckResult {
  readonly damage: string | undefined;
}

/** The documents that can be read, by kind, and what they are read as. */
export interface DocumentTypes {
  manifest: Manifest;
  config: ImageFacts;
  archive: readonly ArchiveItem[];
}

/** A JSON document to be read and checked. */
export type DocumentRequest =
  | { readonly kind: 'manifest'; readonly bytes: Uint8Array; readonly contentType: string; readonly name: string }
  | { readonly kind: 'config' | 'archive'; readonly bytes: Uint8Array };

export type JobResult = UnpackResult | CheckResult | DocumentTypes[keyof DocumentTypes] | undefined;

export type ToWorker =
  | {
      readonly kind: 'unpack';
      readonly job: number;
      readonly target: UnpackTarget;
      /** sha256 in hex that the bytes as they come, and the plain tar, must have; absent where nobody knows. */
      readonly expectedHex: string | undefined;
      readonly plainHex: string | undefined;
    }
  | { readonly kind: 'chunk'; readonly job: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end'; readonly job: number }
  | { readonly kind: 'abort'; readonly job: number }
  | { readonly kind: 'check'; readonly job: number; readonly request: CheckRequest }
  | { readonly kind: 'read'; readonly job: number; readonly request: DocumentRequest }
  | { readonly kind: 'remove'; readonly job: number; readonly paths: readonly string[] };

export type FromWorker =
  /** `spare` is the sender's memory given back, to be filled again. Zero bytes only show that the work goes on. */
  | { readonly kind: 'consumed'; readonly job: number; readonly bytes: number; readonly spare?: ArrayBuffer }
  | { readonly kind: 'done'; readonly job: number; readonly result: JobResult }
  | { readonly kind: 'failed'; readonly job: number; readonly error: SentError };
