// Owns reading `--platform` before anything is sent, with Docker's names and complaints. Pure.
import { hostPlatform, type Platform } from '../spec/platform.ts';
import { goQuote } from './grammar/go-text.ts';

const OS_PART = /^[A-Za-z0-9_-]+(?:\([A-Za-z0-9_.-]*\))?$/;
const OS_PATTERN = '^([A-Za-z0-9_-]+)(?:\\\\(([A-Za-z0-9_.-]*)\\\\))?$';
const PART = /^[A-Za-z0-9_.-]+$/;
const PART_PATTERN = '^[A-Za-z0-9_.-]+$';

const SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux macos nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  ),
);
const ARCHITECTURES = new Set(
  (
    '386 i386 amd64 x86_64 x86-64 amd64p32 arm armhf armel armbe arm64 aarch64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 ' +
    'mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'
  ).split(' '),
);

/** Other names of architectures, with the variant that they mean. */
const ARCHITECTURE_NAMES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  i386: ['386'],
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
};

/**
 * `os[/arch[/variant]]`, or a system or an architecture alone; the rest is this host's.
 * @throws Error in Docker's words
 * @source docker 28.2.2 (containerd/platforms Parse)
 */
export function readPlatform(text: string): Platform {
  const refuse = (what: string): never => {
    throw new Error(`${what}: invalid argument`);
  };
  if (text.includes('*')) refuse(`${goQuote(text)}: wildcards not yet supported`);
  const [system = '', ...others] = text.split('/');
  if (!OS_PART.test(system)) {
    const rule = `OSAndVersion specifier component must match "${OS_PATTERN}"`;
    refuse(`${goQuote(system)} is an invalid OS component of ${goQuote(text)}: ${rule}`);
  }
  for (const part of others) {
    if (PART.test(part)) continue;
    const rule = `platform specifier component must match "${PART_PATTERN}"`;
    refuse(`${goQuote(part)} is an invalid component of ${goQuote(text)}: ${rule}`);
  }
  if (others.length > 2) refuse(`${goQuote(text)}: cannot parse platform specifier`);
  const name = system.toLowerCase().replace(/\(.*$/, '');
  const os = name === 'macos' ? 'darwin' : name;
  const [architecture, variant] = others;
  if (architecture !== undefined) return withArchitecture(os, architecture, variant);
  if (SYSTEMS.has(name)) return { os, architecture: hostPlatform().architecture };
  if (!ARCHITECTURES.has(name)) refuse(`${goQuote(text)}: unknown operating system or architecture`);
  return withArchitecture('linux', name, undefined);
}

function withArchitecture(os: string, name: string, given: string | undefined): Platform {
  const [architecture, meant] = ARCHITECTURE_NAMES[name.toLowerCase()] ?? [name.toLowerCase()];
  const variant = given?.toLowerCase().replace(/^(?=\d)/, 'v') ?? meant;
  // What every such processor has goes without saying.
  const usual = (architecture === 'amd64' && variant === 'v1') || (given === undefined && variant === 'v7');
  return variant === undefined || usual ? { os, architecture } : { os, architecture, variant };
}
