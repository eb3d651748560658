// Owns Dockerfile instructions applied to an image's configuration (`docker import --change`). Pure.
// Refuses instructions that would need a build. @source dockerd 28.5: builder/dockerfile BuildFromConfig

import { posix } from 'node:path';
import { GantryError } from '../../lib/errors.ts';
import type { HealthConfig, ImageConfig } from '../../spec/docker/types.gen.ts';

function bad(message: string): GantryError {
  return new GantryError('invalid', 'BAD_CHANGE', message);
}

type Change = (config: ImageConfig, rest: string) => ImageConfig;

const CHANGES: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => ({ ...config, Cmd: command(rest) }),
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: command(rest) }),
  ENV: (config, rest) => {
    const pairs = keyValues('ENV', rest);
    const kept = (config.Env ?? []).filter((line) => !pairs.some(([key]) => line.startsWith(`${key}=`)));
    return { ...config, Env: [...kept, ...pairs.map(([key, value]) => `${key}=${value}`)] };
  },
  LABEL: (config, rest) => ({
    ...config,
    Labels: { ...config.Labels, ...Object.fromEntries(keyValues('LABEL', rest)) },
  }),
  EXPOSE: (config, rest) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, ...ports(rest) } }),
  USER: (config, rest) => ({ ...config, User: oneText(rest) }),
  WORKDIR: (config, rest) => ({ ...config, WorkingDir: workingDir(config.WorkingDir ?? '', oneText(rest)) }),
  VOLUME: (config, rest) => ({
    ...config,
    Volumes: { ...config.Volumes, ...Object.fromEntries((jsonList(rest) ?? words(rest)).map((path) => [path, {}])) },
  }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: oneText(rest) }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...(config.OnBuild ?? []), rest] }),
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: health(rest) }),
};

/** Applies the instructions in order. @throws BAD_CHANGE naming the instruction */
export function applyChanges(config: ImageConfig, changes: readonly string[]): ImageConfig {
  let result = config;
  for (const line of changes.flatMap((change) => change.split(/(?<!\\)\n/))) {
    const match = /^\s*([A-Za-z]+)(?:\s+([\s\S]*?))?\s*$/.exec(line.replaceAll('\\\n', ' '));
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const name = match?.[1]?.toUpperCase() ?? '';
    const change = Object.hasOwn(CHANGES, name) ? CHANGES[name] : undefined;
    if (!change) throw bad(`${match?.[1] ?? line} is not a valid change command`);
    const rest = match?.[2] ?? '';
    if (rest === '') throw bad(`${name} requires at least one argument`);
    result = change(result, rest);
  }
  return result;
}

function jsonList(rest: string): string[] | undefined {
  if (!rest.startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(rest);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The exec form as it is; anything else is the shell's. */
function command(rest: string): string[] {
  return jsonList(rest) ?? ['/bin/sh', '-c', rest];
}

/** All that follows as one value, blanks too, without its quotes. @source buildkit: parser.go parses these three so */
function oneText(rest: string): string {
  return rest.replace(WORD_PARTS, unquoted);
}

/** @source dockerd 28.5: normalizeWorkdir */
function workingDir(before: string, path: string): string {
  if (path === '') throw bad('cannot normalize nothing');
  return path.startsWith('/') ? path : posix.join('/', before, path);
}

function ports(rest: string): Record<string, Record<string, never>> {
  const entries = words(rest).map((word): [string, Record<string, never>] => {
    if (!/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/i.test(word)) throw bad(`Invalid containerPort: ${word}`);
    return [word.includes('/') ? word.toLowerCase() : `${word}/tcp`, {}];
  });
  return Object.fromEntries(entries);
}

/** What a backslash or quotes keep as it is. */
const WORD_PARTS = /\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/g;

/** Words parted by blanks; quotes and backslashes keep blanks. */
function words(text: string): string[] {
  const out: string[] = [];
  for (const [word] of text.matchAll(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/g)) {
    out.push(word.replace(WORD_PARTS, unquoted));
  }
  return out;
}

function unquoted(_match: string, escaped?: string, double?: string, plain?: string): string {
  return escaped ?? double?.replace(/\\(["\\$])/g, '$1') ?? plain ?? '';
}

/** `A=b C="d e"`, or the old form `A the rest`. */
function keyValues(name: string, rest: string): [string, string][] {
  const all = words(rest);
  if (!all[0]?.includes('=')) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(rest);
    if (!match) throw bad(`${name} must have two arguments`);
    return [[match[1] ?? '', match[2] ?? '']];
  }
  return all.map((word): [string, string] => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw bad(`Syntax error - can't find = in "${word}". Must be of the form: name=value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

const UNITS_NANO: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of a Go duration such as `1m30s`. */
function durationNano(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) throw bad(`invalid duration "${text}"`);
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS_NANO[unit ?? ''] ?? 0), 0);
}

function health(rest: string): HealthConfig {
  if (/^NONE$/i.test(rest)) return { Test: ['NONE'] };
  const flags = new Map<string, string>();
  let left = rest;
  for (let match = /^--([a-z-]+)=(\S+)\s+/.exec(left); match; match = /^--([a-z-]+)=(\S+)\s+/.exec(left)) {
    flags.set(match[1] ?? '', match[2] ?? '');
    left = left.slice(match[0].length);
  }
  const test = /^CMD\s+([\s\S]+)$/i.exec(left)?.[1];
  if (test === undefined) throw bad(`Unknown type "${words(left)[0] ?? ''}" in HEALTHCHECK (try CMD)`);
  const duration = (flag: string): number | undefined => {
    const value = flags.get(flag);
    return value === undefined ? undefined : durationNano(value);
  };
  const list = jsonList(test);
  const retries = flags.get('retries');
  return {
    Test: list ? ['CMD', ...list] : ['CMD-SHELL', test],
    Interval: duration('interval'),
    Timeout: duration('timeout'),
    StartPeriod: duration('start-period'),
    StartInterval: duration('start-interval'),
    Retries: retries === undefined ? undefined : Number(retries),
  };
}
