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

const ALIASES: Readonly<Record<string, string>> = { x86_64: 'amd64', 'x86-64': 'amd64', aarch64: 'arm64', i386: '386' };

/** This host, from Node's name of its processor. */
export function hostPlatform(arch: string = process.arch): Platform {
  return ARCHITECTURES[arch] ?? { os: 'linux', architecture: arch };
}

/** @source containerd/platforms, its database.go */
const KNOWN_SYSTEMS =
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos';
const KNOWN_ARCHITECTURES =
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm';
const SYSTEM_PART = '^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$';
const PART = '^[A-Za-z0-9_.-]+$';

/**
 * Parses `os[/arch[/variant]]`, a bare operating system or a bare architecture; missing parts are this host's.
 * @throws INVALID_PLATFORM. @source dockerd 28.5
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/');
  for (const [at, part] of parts.entries()) checkPart(text, part, at);
  if (parts.length > 3) throw invalidPlatform(`${JSON.stringify(text)}: cannot parse platform specifier`);
  const [first = '', second, variant = ''] = parts;
  if (second !== undefined) return normalPlatform({ os: first, architecture: second, variant });
  const { os, architecture } = normalPlatform({ os: first, architecture: first });
  if (KNOWN_SYSTEMS.split(' ').includes(os)) return { ...hostPlatform(), os };
  if (KNOWN_ARCHITECTURES.split(' ').includes(architecture)) return { os: 'linux', architecture };
  throw invalidPlatform(`${JSON.stringify(text)}: unknown operating system or architecture`);
}

/** The names that Go gives: `Linux/x86_64` is linux/amd64. */
export function normalPlatform({ os, architecture, variant }: Platform): Platform {
  const lower = architecture.toLowerCase();
  const normal = { os: os.toLowerCase(), architecture: ALIASES[lower] ?? lower };
  return variant ? { ...normal, variant: variant.toLowerCase() } : normal;
}

function checkPart(text: string, part: string, at: number): void {
  const pattern = at === 0 ? SYSTEM_PART : PART;
  if (new RegExp(pattern).test(part)) return;
  const [noun, rule] = at === 0 ? ['OS component', 'OSAndVersion'] : ['component', 'platform'];
  const [quoted, whole] = [part, text].map((word) => JSON.stringify(word));
  const wanted = JSON.stringify(pattern);
  throw invalidPlatform(
    `${quoted} is an invalid ${noun} of ${whole}: ${rule} specifier component must match ${wanted}`,
  );
}

function invalidPlatform(what: string): GantryError {
  return new GantryError('invalid', 'INVALID_PLATFORM', `${what}: invalid argument`);
}

/** `os/arch[/variant]`. */
export function platformText(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

/** True when an image built for `have` satisfies `want`; an unnamed variant fits any (arm64 means v8). */
export function platformMatches(have: Platform, want: Platform): boolean {
  if (have.os !== want.os || have.architecture !== want.architecture) return false;
  return !have.variant || !want.variant || have.variant === want.variant;
}
