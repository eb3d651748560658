// Owns decoding a seccomp profile that a user wrote (Docker's JSON). Trusts nothing in it; resolves no condition.

import { GantryError, messageOf } from '../../../lib/errors.ts';
import { scanJson } from '../../../spec/docker/decode-json.ts';
import type { OciSyscallArg, OciSyscallRule } from '../oci.ts';

/** When a rule counts; [] = no matter. */
export interface UserCondition {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  /** `4.8`, unchecked. */
  readonly minKernel?: string | undefined;
}

interface UserRule {
  readonly rule: OciSyscallRule;
  readonly includes: UserCondition;
  readonly excludes: UserCondition;
}

export interface UserProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number | undefined;
  readonly architectures: readonly string[];
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly flags?: readonly string[] | undefined;
  readonly listenerPath?: string | undefined;
  readonly listenerMetadata?: string | undefined;
  readonly syscalls: readonly UserRule[];
}

type Json = Readonly<Record<string, unknown>> & { readonly flags?: unknown };

/**
 * The profile; undefined for an empty object.
 * @throws SECCOMP_PROFILE_INVALID
 */
export function decodeProfile(json: string): UserProfile | undefined {
  const top = asObject(parse(json), 'profile');
  if (Object.keys(top).length === 0) return undefined;
  const architectures = strings(top, 'architectures');
  const archMap = objects(top, 'archMap').map((entry) => ({
    architecture: text(entry, 'architecture') ?? '',
    subArchitectures: strings(entry, 'subArchitectures'),
  }));
  if (architectures.length > 0 && archMap.length > 0) throw bothGiven('architectures', 'archMap');
  return {
    defaultAction: text(top, 'defaultAction') ?? '',
    defaultErrnoRet: number(top, 'defaultErrnoRet'),
    architectures,
    archMap,
    flags: Array.isArray(top.flags) ? strings(top, 'flags') : undefined,
    listenerPath: text(top, 'listenerPath'),
    listenerMetadata: text(top, 'listenerMetadata'),
    syscalls: objects(top, 'syscalls').map(decodeRule),
  };
}

function decodeRule(entry: Json): UserRule {
  const name = text(entry, 'name') ?? '';
  const names = strings(entry, 'names');
  if (name !== '' && names.length > 0) throw bothGiven('name', 'names');
  const errnoRet = number(entry, 'errnoRet');
  const args = objects(entry, 'args').map(decodeArg);
  return {
    rule: {
      names: name === '' ? names : [name],
      action: text(entry, 'action') ?? '',
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args.length === 0 ? {} : { args }),
    },
    includes: condition(entry, 'includes'),
    excludes: condition(entry, 'excludes'),
  };
}

function decodeArg(entry: Json): OciSyscallArg {
  const valueTwo = number(entry, 'valueTwo') ?? 0;
  return {
    index: number(entry, 'index') ?? 0,
    value: number(entry, 'value') ?? 0,
    ...(valueTwo === 0 ? {} : { valueTwo }),
    op: text(entry, 'op') ?? '',
  };
}

function condition(entry: Json, key: string): UserCondition {
  const found = entry[key];
  const object = found === undefined || found === null ? {} : asObject(found, key);
  return { caps: strings(object, 'caps'), arches: strings(object, 'arches'), minKernel: text(object, 'minKernel') };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const scan = scanJson(json);
    const said = scan.kind === 'error' ? scan.message : messageOf(cause);
    throw failed(said === 'unexpected EOF' ? 'unexpected end of JSON input' : said);
  }
}

function asObject(value: unknown, key: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw failed(`"${key}" is not an object`);
  return value as Json;
}

function list(object: Json, key: string): readonly unknown[] {
  const value = object[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw failed(`"${key}" is not a list`);
  return value;
}

function objects(object: Json, key: string): Json[] {
  return list(object, key).map((entry) => asObject(entry, key));
}

function strings(object: Json, key: string): string[] {
  return list(object, key).map((entry) => {
    if (typeof entry !== 'string') throw failed(`"${key}" holds something that is not text`);
    return entry;
  });
}

function text(object: Json, key: string): string | undefined {
  const value = object[key];
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw failed(`"${key}" is not text`);
}

function number(object: Json, key: string): number | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw failed(`"${key}" is not a whole number`);
}

function failed(reason: string): GantryError {
  return new GantryError('invalid', 'SECCOMP_PROFILE_INVALID', `Decoding seccomp profile failed: ${reason}`);
}

function bothGiven(one: string, other: string): GantryError {
  return new GantryError(
    'invalid',
    'SECCOMP_PROFILE_INVALID',
    `both '${one}' and '${other}' are specified in the seccomp profile, use either '${one}' or '${other}'`,
  );
}
