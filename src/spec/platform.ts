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

/**
 * Parses `os[/arch[/variant]]` or a bare architecture; missing parts are this host's.
 * @throws INVALID_PLATFORM
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new GantryError(
      'invalid',
      'INVALID_PLATFORM',
      `"${text}": unknown operating system or architecture: invalid argument`,
    );
  }
  const host = hostPlatform();
  const [first = '', second, variant] = parts;
  if (second === undefined) {
    return first === 'linux' ? host : { os: 'linux', architecture: ALIASES[first] ?? first };
  }
  const architecture = ALIASES[second] ?? second;
  return variant === undefined ? { os: first, architecture } : { os: first, architecture, variant };
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
