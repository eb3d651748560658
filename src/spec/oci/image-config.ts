// Owns image configurations (OCI image spec, Docker's superset): checked shapes out of hostile bytes. Pure.

import { type Digest, parseDigest } from '../digest.ts';
import type { HealthConfig, ImageConfig } from '../docker/types.gen.ts';
import type { Platform } from '../platform.ts';
import { badManifest, isRecord, parseObject, stringMap } from './manifest.ts';

const DIFF_IDS_MAX = 500;
/** A line of a build each. A million empty ones would fit into a configuration and be kept in memory. */
const HISTORY_MAX = 10_000;

/** What an image says of itself. */
export interface ImageFacts {
  /** RFC 3339 or ''. */
  readonly created: string;
  readonly platform: Platform;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  readonly config: ImageConfig;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryLine[];
}

export interface HistoryLine {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** Reads an image configuration. @throws BAD_MANIFEST naming the member that is wrong */
export function parseImageConfig(bytes: Uint8Array): ImageFacts {
  const body = parseObject(bytes, 'image configuration');
  const rootfs = isRecord(body.rootfs) ? body.rootfs : undefined;
  if (!rootfs || (rootfs.type !== undefined && rootfs.type !== 'layers'))
    throw badManifest('invalid image configuration: rootfs');
  const ids = rootfs.diff_ids ?? [];
  if (!Array.isArray(ids) || ids.length > DIFF_IDS_MAX) throw badManifest('invalid image configuration: diff_ids');
  const history = Array.isArray(body.history) ? body.history : [];
  if (history.length > HISTORY_MAX) throw badManifest('invalid image configuration: history');
  const variant = text(body, 'variant');
  const platform = { os: text(body, 'os') || 'linux', architecture: text(body, 'architecture') };
  return {
    created: text(body, 'created'),
    platform: variant === '' ? platform : { ...platform, variant },
    author: text(body, 'author'),
    comment: text(body, 'comment'),
    dockerVersion: text(body, 'docker_version'),
    config: parseRunConfig(body.config),
    diffIds: ids.map((id: unknown) => {
      const digest = typeof id === 'string' ? parseDigest(id) : undefined;
      if (!digest) throw badManifest('invalid image configuration: diff_ids');
      return digest;
    }),
    history: history.map(parseHistory),
  };
}

function text(body: Readonly<Record<string, unknown>>, key: string): string {
  const value = body[key];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw badManifest(`invalid image configuration: ${key}`);
  return value;
}

function parseHistory(value: unknown): HistoryLine {
  if (!isRecord(value)) throw badManifest('invalid image configuration: history');
  const { created, created_by, author, comment } = stringMap(value);
  return {
    ...(created === undefined ? {} : { created }),
    ...(created_by === undefined ? {} : { created_by }),
    ...(author === undefined ? {} : { author }),
    ...(comment === undefined ? {} : { comment }),
    ...(value.empty_layer === true ? { empty_layer: true } : {}),
  };
}

function strings(value: unknown, key: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  // Docker's StrSlice takes a lone string too.
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw badManifest(`invalid image configuration: ${key}`);
  }
  return value;
}

function set(value: unknown, key: string): Record<string, Record<string, never>> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw badManifest(`invalid image configuration: ${key}`);
  return Object.fromEntries(Object.keys(value).map((name) => [name, {}]));
}

function parseHealth(value: unknown): HealthConfig | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) throw badManifest('invalid image configuration: Healthcheck');
  const number = (key: string): number | undefined => (typeof value[key] === 'number' ? value[key] : undefined);
  return defined({
    Test: strings(value.Test, 'Healthcheck'),
    Interval: number('Interval'),
    Timeout: number('Timeout'),
    Retries: number('Retries'),
    StartPeriod: number('StartPeriod'),
    StartInterval: number('StartInterval'),
  });
}

/** Without the members that are undefined. */
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

/** The `config` member: what containers of the image start from. */
function parseRunConfig(value: unknown): ImageConfig {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) throw badManifest('invalid image configuration: config');
  const labels = value.Labels === undefined || value.Labels === null ? undefined : stringMap(value.Labels);
  return defined<ImageConfig>({
    User: text(value, 'User') || undefined,
    ExposedPorts: set(value.ExposedPorts, 'ExposedPorts'),
    Env: strings(value.Env, 'Env'),
    Cmd: strings(value.Cmd, 'Cmd'),
    Healthcheck: parseHealth(value.Healthcheck),
    ArgsEscaped: value.ArgsEscaped === true ? true : undefined,
    Volumes: set(value.Volumes, 'Volumes'),
    WorkingDir: text(value, 'WorkingDir') || undefined,
    Entrypoint: strings(value.Entrypoint, 'Entrypoint'),
    OnBuild: strings(value.OnBuild, 'OnBuild'),
    Labels: labels,
    StopSignal: text(value, 'StopSignal') || undefined,
    Shell: strings(value.Shell, 'Shell'),
  });
}
