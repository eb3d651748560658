// Owns the messages between the main thread and an unpack worker. No behaviour.

import type { ErrorKind } from '../../../lib/errors.ts';
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

export type ToWorker =
  | { readonly kind: 'unpack'; readonly job: number; readonly target: UnpackTarget; readonly expectedHex?: string }
  | { readonly kind: 'chunk'; readonly job: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end'; readonly job: number }
  | { readonly kind: 'abort'; readonly job: number }
  | { readonly kind: 'remove'; readonly job: number; readonly paths: readonly string[] };

/** An error that crosses threads: GantryError's parts, or a bug's text. */
export interface SentError {
  readonly kind: ErrorKind | undefined;
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export type FromWorker =
  /** `spare` is the sender's memory given back, to be filled again. */
  | { readonly kind: 'consumed'; readonly job: number; readonly bytes: number; readonly spare?: ArrayBuffer }
  | { readonly kind: 'done'; readonly job: number; readonly result: UnpackResult | undefined }
  | { readonly kind: 'failed'; readonly job: number; readonly error: SentError };
