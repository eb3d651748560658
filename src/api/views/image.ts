// Owns an image as Docker shows it: inspect, list line, history. Pure.

import type { ImageRecord } from '../../engine/images/types.ts';
import type { ImageConfig, ImageHistoryItem, ImageInspect, ImageSummary } from '../../spec/docker/types.gen.ts';
import { isZeroTime, unixSeconds, ZERO_TIME } from '../../spec/time.ts';
import { type FieldTable, inOrder, mapOrNull, OMIT } from './fields.ts';

/** Alphabetical, as Docker writes it. */
const CONFIG: FieldTable = [
  ['ArgsEscaped', OMIT],
  ['Cmd', null],
  ['Entrypoint', null],
  ['Env', null],
  ['ExposedPorts', OMIT],
  ['Healthcheck', OMIT],
  ['Labels', null],
  ['OnBuild', null],
  ['Shell', OMIT],
  ['StopSignal', OMIT],
  ['User', ''],
  ['Volumes', null],
  ['WorkingDir', ''],
];

/** GET /images/{name}/json. @source dockerd 28.5.2 with its own image store */
export function imageInspectView(image: ImageRecord, layerPaths: readonly string[]): ImageInspect {
  const { variant } = image.platform;
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: '',
    Comment: image.comment || (image.history.at(-1)?.comment ?? ''),
    ...(image.created === '' ? {} : { Created: image.created }),
    DockerVersion: image.dockerVersion,
    Author: image.author,
    Architecture: image.platform.architecture,
    ...(variant ? { Variant: variant } : {}),
    Os: image.platform.os,
    ...(image.osVersion ? { OsVersion: image.osVersion } : {}),
    Size: image.sizeBytes,
    GraphDriver: { Data: graphData(layerPaths), Name: 'overlay2' },
    RootFS: { Type: 'layers', ...(image.diffIds.length > 0 ? { Layers: image.diffIds } : {}) },
    Metadata: { LastTagTime: isZeroTime(image.lastTagTime) ? ZERO_TIME : image.lastTagTime },
    Config: imageConfigView(image.config),
  };
}

/** The topmost layer is the image's own; an image is never mounted, so there is no merged view. */
function graphData([top, ...below]: readonly string[]): Record<string, string> | null {
  if (top === undefined) return null;
  return { ...(below.length > 0 ? { LowerDir: below.join(':') } : {}), UpperDir: top };
}

function imageConfigView(config: ImageConfig): ImageConfig {
  return { ...inOrder(CONFIG, config), Labels: mapOrNull(config.Labels) };
}

/** What a list line counts. */
export interface ImageCounts {
  readonly containers: number;
  /** Bytes shared with other images; -1 when nobody asked. */
  readonly sharedBytes: number;
}

/** One line of GET /images/json; keys are alphabetical, as Docker writes them. */
export function imageSummaryView(image: ImageRecord, counts: ImageCounts): ImageSummary {
  return {
    Containers: counts.containers,
    Created: unixSeconds(image.created),
    Id: image.id,
    Labels: mapOrNull(image.config.Labels),
    ParentId: '',
    RepoDigests: image.repoDigests,
    RepoTags: image.repoTags,
    SharedSize: counts.sharedBytes,
    Size: image.sizeBytes,
  };
}

/** GET /images/{name}/history, newest first. Only the top line has the image's id; layers have none of their own. */
export function imageHistoryView(image: ImageRecord, layerBytes: (index: number) => number): ImageHistoryItem[] {
  let layer = 0;
  const lines = image.history.map((entry) => ({
    Comment: entry.comment ?? '',
    Created: unixSeconds(entry.created ?? ''),
    CreatedBy: entry.created_by ?? '',
    Id: '<missing>',
    Size: entry.empty_layer === true ? 0 : layerBytes(layer++),
    Tags: null as readonly string[] | null,
  }));
  const top = lines.at(-1);
  if (top) Object.assign(top, { Id: image.id, Tags: image.repoTags.length > 0 ? image.repoTags : null });
  return lines.reverse();
}
