// Owns `--security-opt`: reads a seccomp profile on this side, and turns `systempaths=unconfined` into empty lists.
import { goQuote } from '../grammar/go-text.ts';
import { readTextFile } from './environment.ts';

/** The security fields of a create body. */
export interface SecurityFields {
  readonly options: string[];
  readonly unconfinedPaths: boolean;
}

/** @throws Error in Docker's words */
export function securityFields(texts: readonly string[]): SecurityFields {
  const options = texts.map(readOption).filter((option) => option !== 'systempaths=unconfined');
  return { options, unconfinedPaths: texts.includes('systempaths=unconfined') };
}

function readOption(text: string): string {
  const separator = text.includes('=') ? '=' : ':';
  const at = text.indexOf(separator);
  if (at === -1 && text !== 'no-new-privileges') throw new Error(`Invalid --security-opt: ${goQuote(text)}`);
  const key = text.slice(0, at === -1 ? undefined : at);
  const value = text.slice(at + 1);
  if (key !== 'seccomp' || value === 'unconfined' || value === 'builtin') return text;
  return `seccomp=${compactProfile(value)}`;
}

function compactProfile(path: string): string {
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    throw new Error(`opening seccomp profile (${path}) failed: ${error instanceof Error ? error.message : ''}`);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `compacting json for seccomp profile (${path}) failed: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

const ALL = 'ALL';

/** Capabilities with their prefix, sorted; `ALL` stands alone, and adding beats dropping. @source docker 28.2.2 */
export function capabilityFields(
  add: readonly string[],
  drop: readonly string[],
): { readonly CapAdd?: string[] | undefined; readonly CapDrop?: string[] | undefined } {
  const added = capabilitySet(add);
  const dropped = capabilitySet(drop).filter((name) => !added.includes(name));
  return { CapAdd: added.length === 0 ? undefined : added, CapDrop: dropped.length === 0 ? undefined : dropped };
}

function capabilitySet(texts: readonly string[]): string[] {
  const names = new Set(texts.map(capabilityName));
  return names.has(ALL) ? [ALL] : [...names].sort();
}

function capabilityName(text: string): string {
  const upper = text.trim().toUpperCase();
  return upper === ALL || upper === 'RESET' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}
