// Owns the errors of talking to spawner and shim. Knows no Docker wording.

import { type ErrorParams, GantryError } from '../../lib/errors.ts';
import { type Field, fieldOf } from './frame.ts';

/** A framed failure: where it happened, errno (0 = none), and words. */
export interface ShimFailure {
  readonly stage: string;
  readonly errno: number;
  readonly text: string;
}

/** The failure in `fields`, undefined when they tell none. */
export function failureOf(fields: readonly Field[]): ShimFailure | undefined {
  const stage = fieldOf(fields, 'stage');
  if (stage === undefined) return undefined;
  return { stage, errno: Number(fieldOf(fields, 'errno') ?? 0), text: fieldOf(fields, 'text') ?? '' };
}

/** SHIM_FAILED with the failure's parts as params. */
export function shimFailed(doing: string, failure: ShimFailure): GantryError {
  const params: ErrorParams = { stage: failure.stage, errno: failure.errno, text: failure.text };
  const reason = [failure.text, failure.errno === 0 ? '' : `errno ${failure.errno}`].filter(Boolean).join(', ');
  return new GantryError('system', 'SHIM_FAILED', `${doing}: ${failure.stage}${reason === '' ? '' : `: ${reason}`}`, {
    params,
  });
}

/** True when `error` says that the peer no longer exists, unlike one that keeps silent. */
export function isShimGone(error: unknown): boolean {
  return error instanceof GantryError && error.code === 'SHIM_GONE';
}

/** SHIM_GONE: the peer closed before it answered. */
export function shimGone(doing: string, cause?: unknown): GantryError {
  return new GantryError('unavailable', 'SHIM_GONE', `${doing}: the shim is gone`, { cause });
}

/** SHIM_SILENT: the peer is there and says nothing; it may be stopped (SIGSTOP) or starved. */
export function shimSilent(doing: string, limitMs: number): GantryError {
  return new GantryError('unavailable', 'SHIM_SILENT', `${doing}: the shim did not answer within ${limitMs / 1000} s`, {
    hint: 'it may be stopped or the machine overloaded; stopping or removing the container ends its shim by force',
  });
}
