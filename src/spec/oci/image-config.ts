// Owns image configurations (OCI image spec, Docker's superset): checked shapes out of hostile bytes. Pure.

import { type Digest, parseDigest } from '../digest.ts';
import type { HealthConfig, ImageConfig } from '../docker/types.gen.ts';
import type { Platform } from '../platform.ts';
import {
  BOOL,
  decodeDocument,
  integer,
  listOf,
  mapOf,
  NOTHING,
  optional,
  type Shape,
  STRING,
  stringOf,
  structOf,
  TIME,
  WORDS,
} from './go-json.ts';
import { badManifest } from './manifest.ts';

const DIFF_IDS_MAX = 500;
/** A line of a build each. A million empty ones would fit into a configuration and be kept in memory. */
const HISTORY_MAX = 10_000;

/** What an image says of itself. */
export interface ImageFacts {
  /** RFC 3339 or ''. */
  readonly created: string;
  readonly platform: Platform;
  readonly osVersion?: string | undefined;
  readonly author: string;
  readonly comment: string;
  readonly dockerVersion: string;
  readonly config: ImageConfig;
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryLine[];
}

interface HistoryLine {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

const DURATION = integer('time.Duration');
const STRINGS = listOf(STRING);

const HEALTH = structOf('v1.HealthcheckConfig', {
  Test: STRINGS,
  Interval: DURATION,
  Timeout: DURATION,
  StartPeriod: DURATION,
  StartInterval: DURATION,
  Retries: integer('int'),
});

/** @source moby container.Config, as dockerd 28.5 reads it; also fields that have no meaning for an image are checked */
const RUN_CONFIG = structOf('container.Config', {
  Hostname: STRING,
  Domainname: STRING,
  User: STRING,
  AttachStdin: BOOL,
  AttachStdout: BOOL,
  AttachStderr: BOOL,
  ExposedPorts: mapOf(NOTHING, 'nat.PortSet'),
  Tty: BOOL,
  OpenStdin: BOOL,
  StdinOnce: BOOL,
  Env: STRINGS,
  Cmd: WORDS,
  Healthcheck: optional(HEALTH),
  ArgsEscaped: BOOL,
  Image: STRING,
  Volumes: mapOf(NOTHING),
  WorkingDir: STRING,
  Entrypoint: WORDS,
  NetworkDisabled: BOOL,
  MacAddress: STRING,
  OnBuild: STRINGS,
  Labels: mapOf(STRING),
  StopSignal: STRING,
  StopTimeout: integer('int'),
  Shell: WORDS,
});

type RunConfig = typeof RUN_CONFIG extends Shape<infer T> ? T : never;

const HISTORY = structOf('v1.History', {
  created: TIME,
  created_by: STRING,
  author: STRING,
  comment: STRING,
  empty_layer: BOOL,
});

const IMAGE = structOf('image.Image', {
  id: STRING,
  parent: stringOf('image.ID'),
  comment: STRING,
  created: TIME,
  container: STRING,
  container_config: optional(RUN_CONFIG),
  docker_version: STRING,
  author: STRING,
  config: optional(RUN_CONFIG),
  architecture: STRING,
  variant: STRING,
  os: STRING,
  rootfs: optional(
    structOf('image.RootFS', { type: STRING, diff_ids: listOf(stringOf('layer.DiffID'), DIFF_IDS_MAX) }),
  ),
  history: listOf(HISTORY, HISTORY_MAX),
  'os.version': STRING,
  'os.features': STRINGS,
});

/** Reads an image configuration. @throws BAD_MANIFEST with Docker's text */
export function parseImageConfig(bytes: Uint8Array): ImageFacts {
  const image = decodeDocument(IMAGE, 'Image', bytes, 'the image configuration');
  if (!image.rootfs) throw badManifest('invalid image JSON, no RootFS key');
  const { type, diff_ids: ids = [] } = image.rootfs;
  if (type !== '' && type !== 'layers') throw badManifest(`invalid image JSON, rootfs of type ${JSON.stringify(type)}`);
  const history = image.history ?? [];
  if (history.filter((line) => !line.empty_layer).length > ids.length) {
    throw badManifest('too many non-empty layers in History section');
  }
  const { architecture, variant } = image;
  const platform = { os: image.os || 'linux', architecture };
  return {
    created: image.created,
    platform: variant === '' ? platform : { ...platform, variant },
    ...(image['os.version'] === '' ? {} : { osVersion: image['os.version'] }),
    author: image.author,
    comment: image.comment,
    dockerVersion: image.docker_version,
    config: image.config ? runConfigOf(image.config) : {},
    diffIds: ids.map(diffIdOf),
    history: history.map((line) => withoutZeros(line)),
  };
}

function diffIdOf(text: string, index: number): Digest {
  const digest = parseDigest(text);
  if (!digest) throw badManifest(`invalid diffID for layer ${index}: ${JSON.stringify(text)} is no sha256 digest`);
  return digest;
}

/** Without the members that say nothing: '', 0, false and what is absent. */
function withoutZeros<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => Boolean(member))) as Partial<T>;
}

/** What containers of the image start from. */
function runConfigOf(config: RunConfig): ImageConfig {
  const { User, ExposedPorts, Env, Cmd, Healthcheck, ArgsEscaped, Volumes, WorkingDir } = config;
  const { Entrypoint, OnBuild, Labels, StopSignal, Shell } = config;
  const health = Healthcheck && (withoutZeros(Healthcheck) as HealthConfig);
  const kept = { User, ExposedPorts, Env, Cmd, ArgsEscaped, Volumes, WorkingDir, Entrypoint, OnBuild, Labels };
  return withoutZeros({ ...kept, StopSignal, Shell, Healthcheck: health }) as ImageConfig;
}
