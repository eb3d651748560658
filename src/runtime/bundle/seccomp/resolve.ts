// Owns turning the default profile, or one that a user wrote, into the OCI configuration's seccomp section. Pure.

import { GantryError } from '../../../lib/errors.ts';
import type { OciSeccomp, OciSyscallRule } from '../oci.ts';
import { PROFILE_RULES, type ProfileRule, SECCOMP_ARCHITECTURES } from './default-profile.ts';
import { decodeProfile, type UserCondition, type UserProfile } from './user-profile.ts';

/** What rules may depend on. */
export interface SeccompFacts {
  /** As in platforms: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly kernel: readonly [major: number, minor: number];
  /** The container's bounding set, `CAP_X`. */
  readonly capabilities: ReadonlySet<string>;
}

const EPERM = 1;

/** Few sets of capabilities are in use; equal facts give the same object, so that others may remember things about it. */
const resolved = new Map<string, OciSeccomp>();
const MOST_REMEMBERED = 64;

/** Docker's default profile, resolved; exactly what dockerd hands to its runtime. */
export function defaultSeccomp(facts: SeccompFacts): OciSeccomp {
  const key = JSON.stringify([facts.architecture, facts.kernel, [...facts.capabilities].sort()]);
  const known = resolved.get(key);
  if (known !== undefined) return known;
  if (resolved.size >= MOST_REMEMBERED) resolved.clear();
  const made = resolveDefault(facts);
  resolved.set(key, made);
  return made;
}

function resolveDefault(facts: SeccompFacts): OciSeccomp {
  const architectures = SECCOMP_ARCHITECTURES[facts.architecture];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    ...(architectures === undefined ? {} : { architectures }),
    syscalls: PROFILE_RULES.filter((rule) => holds(rule, facts)).map(ociRule),
  };
}

function holds(rule: ProfileRule, facts: SeccompFacts): boolean {
  return (
    (rule.withCapability === undefined || facts.capabilities.has(rule.withCapability)) &&
    (rule.withoutCapability === undefined || !facts.capabilities.has(rule.withoutCapability)) &&
    (rule.architectures === undefined || rule.architectures.includes(facts.architecture)) &&
    (rule.minKernel === undefined || kernelAtLeast(facts.kernel, rule.minKernel))
  );
}

function ociRule(rule: ProfileRule): OciSyscallRule {
  return {
    names: rule.calls,
    ...(rule.errno === undefined ? { action: 'SCMP_ACT_ALLOW' } : { action: 'SCMP_ACT_ERRNO', errnoRet: rule.errno }),
    ...(rule.args === undefined ? {} : { args: rule.args }),
  };
}

function kernelAtLeast(have: readonly [number, number], want: readonly [number, number]): boolean {
  return have[0] > want[0] || (have[0] === want[0] && have[1] >= want[1]);
}

/**
 * A profile of `--security-opt seccomp=<json>`, resolved; undefined for `{}`, which filters nothing.
 * @throws SECCOMP_PROFILE_INVALID with Docker's wordings
 */
export function userSeccomp(json: string, facts: SeccompFacts): OciSeccomp | undefined {
  const profile = decodeProfile(json);
  if (profile === undefined) return undefined;
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...architecturesOf(profile, facts),
    ...(profile.flags === undefined ? {} : { flags: profile.flags }),
    ...(profile.listenerPath === undefined ? {} : { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata === undefined ? {} : { listenerMetadata: profile.listenerMetadata }),
    syscalls: profile.syscalls
      .filter(({ includes, excludes }) => included(includes, facts) && !excluded(excludes, facts))
      .map(({ rule }) => rule),
  };
}

/** Newer profiles list, per native architecture, the ones that come with it. */
function architecturesOf(profile: UserProfile, facts: SeccompFacts): { architectures?: readonly string[] } {
  if (profile.architectures.length > 0) return { architectures: profile.architectures };
  const native = SECCOMP_ARCHITECTURES[facts.architecture]?.[0];
  const entry = profile.archMap.find(({ architecture }) => architecture === native);
  return entry === undefined ? {} : { architectures: [entry.architecture, ...entry.subArchitectures] };
}

function included(condition: UserCondition, facts: SeccompFacts): boolean {
  return (
    (condition.arches.length === 0 || condition.arches.includes(facts.architecture)) &&
    condition.caps.every((cap) => facts.capabilities.has(cap)) &&
    (condition.minKernel === undefined || kernelAtLeast(facts.kernel, parseKernel(condition.minKernel)))
  );
}

function excluded(condition: UserCondition, facts: SeccompFacts): boolean {
  return (
    condition.arches.includes(facts.architecture) ||
    condition.caps.some((cap) => facts.capabilities.has(cap)) ||
    (condition.minKernel !== undefined && kernelAtLeast(facts.kernel, parseKernel(condition.minKernel)))
  );
}

function parseKernel(text: string): readonly [number, number] {
  const match = /^([0-9]{1,6})\.([0-9]{1,6})$/.exec(text);
  if (match !== null) return [Number(match[1]), Number(match[2])];
  throw new GantryError(
    'invalid',
    'SECCOMP_PROFILE_INVALID',
    `Decoding seccomp profile failed: invalid kernel version: "${text}", expected "<kernel>.<major>"`,
  );
}
