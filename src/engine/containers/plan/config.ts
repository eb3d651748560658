// Owns how an image's defaults complete a container's own configuration, and whether that makes sense. Pure.

import { posix } from 'node:path';
import { goQuote } from '../../../lib/go-quote.ts';
import type { ContainerConfig, ImageConfig } from '../../../spec/docker/types.gen.ts';
import { parseSignal } from '../../../spec/signals.ts';
import { invalid } from '../errors.ts';

/**
 * The container's configuration with the image's defaults filled in, field by field as Docker does: lists of variables,
 * labels, ports and volumes are joined (the user's win), scalars are taken when the user gave none, the command
 * is the image's only when neither command nor entrypoint was given.
 */
export function mergeConfig(user: ContainerConfig, image: ImageConfig): ContainerConfig {
  const takesImageCommand = empty(user.Entrypoint) && empty(user.Cmd);
  return {
    ...user,
    User: user.User || image.User || '',
    ExposedPorts: joinMaps(user.ExposedPorts, image.ExposedPorts),
    Env: user.Env || image.Env ? mergeEnv(user.Env ?? [], image.Env ?? []) : undefined,
    Labels: { ...image.Labels, ...user.Labels },
    Cmd: takesImageCommand ? (image.Cmd ?? null) : (user.Cmd ?? null),
    Entrypoint: entrypoint(user.Entrypoint ?? image.Entrypoint ?? null),
    WorkingDir: workingDir(user.WorkingDir || image.WorkingDir || ''),
    Volumes: joinMaps(user.Volumes, image.Volumes) ?? undefined,
    StopSignal: user.StopSignal || image.StopSignal || undefined,
    Healthcheck: mergeHealth(user.Healthcheck, image.Healthcheck),
    Shell: empty(user.Shell) ? image.Shell : user.Shell,
    // For an image that is made of the container; the image's own have run.
    OnBuild: user.OnBuild ?? null,
  };
}

/** The argv: entrypoint then command. @throws NO_COMMAND when both are empty */
export function commandOf(config: ContainerConfig): readonly string[] {
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (command.length === 0) throw invalid('NO_COMMAND', 'no command specified');
  return command;
}

/** Without `.`, `..` and doubled slashes, as Docker shows and uses it. @throws WORKING_DIR for a relative one */
function workingDir(path: string): string {
  if (path === '') return path;
  if (!path.startsWith('/')) {
    const text = `the working directory '${path}' is invalid, it needs to be an absolute path`;
    throw invalid('WORKING_DIR', text);
  }
  const clean = posix.normalize(path);
  return clean === '/' ? clean : clean.replace(/\/$/, '');
}

/** @throws GantryError invalid, in Docker's words, for what the user gave and can never work @source dockerd 28.5 */
export function checkConfig(config: ContainerConfig): void {
  if (config.StopSignal) parseSignal(config.StopSignal);
  for (const entry of config.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw invalid('ENVIRONMENT', `invalid environment variable: ${entry}`);
  }
  checkHealth(config.Healthcheck);
}

const HEALTH_TIMES = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
const LEAST_HEALTH_NS = 1_000_000;

function checkHealth(check: ContainerConfig['Healthcheck']): void {
  for (const name of HEALTH_TIMES) {
    const ns = check?.[name] ?? 0;
    if (ns !== 0 && ns < LEAST_HEALTH_NS)
      throw invalid('HEALTHCHECK', `${name} in Healthcheck cannot be less than 1ms`);
  }
  if ((check?.Retries ?? 0) < 0) throw invalid('HEALTHCHECK', 'Retries in Healthcheck cannot be negative');
}

/** A NUL ends a text early in the kernel's eyes. Docker's runtime refuses these at the start. */
export function checkNul({ Env, Cmd, Entrypoint, WorkingDir, User }: ContainerConfig): void {
  const variable = Env?.find((entry) => entry.includes('\0'));
  if (variable !== undefined) {
    const name = goQuote(variable.split('=', 1)[0] ?? '');
    throw invalid('NUL_BYTE', `invalid environment variable ${name}: contains nul byte (\\x00)`);
  }
  const argument = [...(Entrypoint ?? []), ...(Cmd ?? []), WorkingDir ?? '', User ?? ''].find((text) =>
    text.includes('\0'),
  );
  if (argument !== undefined) throw invalid('NUL_BYTE', `exec: ${goQuote(argument)}: invalid argument`);
}

function empty(list: readonly unknown[] | null | undefined): boolean {
  return !list || list.length === 0;
}

/** `--entrypoint ""` arrives as [''] and clears the image's. */
function entrypoint(list: readonly string[] | null): readonly string[] | null {
  return list && list.length === 1 && list[0] === '' ? null : list;
}

/** The user's variables first, then those of the image that the user did not name. @source moby's runconfig merge */
function mergeEnv(user: readonly string[], image: readonly string[]): string[] {
  const names = new Set(user.map((entry) => entry.split('=', 1)[0]));
  return [...user, ...image.filter((entry) => !names.has(entry.split('=', 1)[0]))];
}

function joinMaps<T>(
  user: Readonly<Record<string, T>> | null | undefined,
  image: Readonly<Record<string, T>> | null | undefined,
): Record<string, T> | null {
  const joined = { ...image, ...user };
  return Object.keys(joined).length > 0 ? joined : null;
}

function mergeHealth(
  user: ContainerConfig['Healthcheck'],
  image: ImageConfig['Healthcheck'],
): ContainerConfig['Healthcheck'] {
  if (!image) return user;
  if (!user) return image;
  return {
    Test: empty(user.Test) ? image.Test : user.Test,
    Interval: user.Interval || image.Interval,
    Timeout: user.Timeout || image.Timeout,
    StartPeriod: user.StartPeriod || image.StartPeriod,
    StartInterval: user.StartInterval || image.StartInterval,
    Retries: user.Retries || image.Retries,
  };
}
