// Owns how an image's defaults complete a container's own configuration. Pure.

import type { ContainerConfig, ImageConfig } from '../../../spec/docker/types.gen.ts';
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
    WorkingDir: user.WorkingDir || image.WorkingDir || '',
    Volumes: joinMaps(user.Volumes, image.Volumes) ?? undefined,
    StopSignal: user.StopSignal || image.StopSignal || undefined,
    Healthcheck: mergeHealth(user.Healthcheck, image.Healthcheck),
    Shell: empty(user.Shell) ? image.Shell : user.Shell,
    OnBuild: null,
  };
}

/** The argv: entrypoint then command. @throws NO_COMMAND when both are empty */
export function commandOf(config: ContainerConfig): readonly string[] {
  const command = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (command.length === 0) throw invalid('NO_COMMAND', 'no command specified');
  return command;
}

function empty(list: readonly unknown[] | null | undefined): boolean {
  return !list || list.length === 0;
}

/** `--entrypoint ""` arrives as [''] and clears the image's. */
function entrypoint(list: string[] | null): string[] | null {
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
