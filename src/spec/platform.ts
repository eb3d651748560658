// Owns platforms (`linux/arm64/v8`): parsing, this host's, and choice among several. Pure.

import { GantryError } from '../lib/errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

const ARCHITECTURES: Readonly<Record<string, Platform>> = {
  x64: { os: 'linux', architecture: 'amd64' },
  arm64: { os: 'linux', architecture: 'arm64', variant: 'v8' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
  ppc64: { os: 'linux', architecture: 'ppc64le' },
  s390x: { os: 'linux', architecture: 's390x' },
  riscv64: { os: 'linux', architecture: 'riscv64' },
};

/** @source github.com/containerd/platforms: database.go */
const ALIASES: Readonly<Record<string, readonly [string, string?]>> = {
  i386: ['386'],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};
const KNOWN_SYSTEMS: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const KNOWN_ARCHITECTURES: ReadonlySet<string> = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ' +
    'ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);
/** The system may name its version, which means nothing here. */
const SYSTEM = '^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$';
const COMPONENT = '^[A-Za-z0-9_.-]+$';
/** Of each architecture the variant that goes without saying. */
const PLAIN_VARIANTS: Readonly<Record<string, string>> = { arm64: 'v8', amd64: 'v1', arm: 'v7' };

/** This host, from Node's name of its processor. */
export function hostPlatform(arch: string = process.arch): Platform {
  return ARCHITECTURES[arch] ?? { os: 'linux', architecture: arch };
}

/**
 * Parses `os[/arch[/variant]]` or a bare architecture; missing parts are this host's.
 * @throws INVALID_PLATFORM with Docker's text
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  if (parts.length > 3) throw invalid(`${JSON.stringify(text)}: cannot parse platform specifier`);
  const [first = '', second, third] = parts;
  const system = new RegExp(SYSTEM).exec(first)?.[1]?.toLowerCase();
  if (system === undefined) throw badPart(first, text, ' OS', 'OSAndVersion', SYSTEM);
  for (const part of parts.slice(1)) {
    if (!new RegExp(COMPONENT).test(part)) throw badPart(part, text, '', 'platform', COMPONENT);
  }
  const os = system === 'macos' ? 'darwin' : system;
  if (second !== undefined) return { os, ...architectureOf(second, third) };
  if (KNOWN_SYSTEMS.has(os)) return { ...hostPlatform(), os };
  const bare = architectureOf(system);
  if (KNOWN_ARCHITECTURES.has(bare.architecture)) return { os: hostPlatform().os, ...bare };
  throw invalid(`${JSON.stringify(text)}: unknown operating system or architecture`);
}

function architectureOf(text: string, variantText = ''): Omit<Platform, 'os'> {
  const lower = text.toLowerCase();
  const [architecture, implied] = ALIASES[lower] ?? [lower];
  const variant = variantText.toLowerCase().replace(/^(?=\d)/, 'v') || implied;
  // What goes without saying is not said, but for arm where somebody said it.
  const isPlain = variant === PLAIN_VARIANTS[architecture] && (architecture !== 'arm' || variantText === '');
  return variant === undefined || isPlain ? { architecture } : { architecture, variant };
}

function badPart(part: string, text: string, what: string, specifier: string, pattern: string): GantryError {
  const [quoted, whole, must] = [part, text, pattern].map((item) => JSON.stringify(item));
  return invalid(
    `${quoted} is an invalid${what} component of ${whole}: ${specifier} specifier component must match ${must}`,
  );
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'INVALID_PLATFORM', `${message}: invalid argument`);
}

/** `os/arch[/variant]`. */
export function platformText(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/** True when an image built for `have` runs as `want`: an unnamed variant fits any, and an older one runs on a newer processor. */
export function platformMatches(have: Platform, want: Platform): boolean {
  if (have.os !== want.os || have.architecture !== want.architecture) return false;
  return !have.variant || !want.variant || variantRank(have) <= variantRank(want);
}

/** True when both are the very same platform; arm64 is arm64/v8. */
export function platformIs(have: Platform, want: Platform): boolean {
  return have.os === want.os && have.architecture === want.architecture && variantOf(have) === variantOf(want);
}

/** The number in the variant, to tell newer from older ones: 7 for arm/v7. */
export function variantRank(platform: Platform): number {
  return Number.parseFloat(variantOf(platform).replace(/^v/, '')) || 0;
}

function variantOf({ architecture, variant }: Platform): string {
  return variant || (PLAIN_VARIANTS[architecture] ?? '');
}
