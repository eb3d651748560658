// Owns the summary of a manifest for searches and pages: read once, at the push, from its configuration or its entries.

import { isRecord, stringMap } from '../../spec/oci/manifest.ts';
import type { StorageReader } from '../storage/types.ts';
import type { ManifestBody } from './manifest-body.ts';
import type { ManifestRecord, ManifestSummary } from './types.ts';

/** Larger configurations are stored, but not read. */
const CONFIG_MAX_BYTES = 4 << 20;
/** Bounds on labels, which are untrusted. */
const LABELS_MAX = 200;
const LABEL_MAX_CHARS = 4096;
const PLATFORMS_MAX = 100;

/** The summary of a manifest; `child` finds those entries of an index that are stored here. Never fails: it omits what cannot be read. */
export async function summarise(
  body: ManifestBody,
  storage: StorageReader,
  child: (digest: string) => ManifestRecord | undefined,
): Promise<ManifestSummary> {
  if (body.references.some((reference) => reference.kind === 'manifest')) return summaryOfIndex(body, child);
  const content = body.references.reduce((total, reference) => total + reference.sizeBytes, 0);
  const config = body.references.find((reference) => reference.kind === 'config');
  const isImage = config !== undefined && /image(\.config)?\.v1\+json$/.test(config.mediaType);
  if (!config || !isImage || config.sizeBytes > CONFIG_MAX_BYTES) {
    return { platforms: [], labels: {}, contentBytes: content };
  }
  const bytes = await storage.readSmall(config.digest, CONFIG_MAX_BYTES).catch(() => undefined);
  return { ...configFacts(bytes), contentBytes: content };
}

function summaryOfIndex(body: ManifestBody, child: (digest: string) => ManifestRecord | undefined): ManifestSummary {
  const entries = body.references.filter((reference) => reference.kind === 'manifest');
  const children = entries.map((entry) => child(entry.digest));
  const stated = entries.flatMap((entry) => entry.platform ?? []);
  const found = children.flatMap((record) => record?.summary.platforms ?? []);
  const platforms = [...new Set(stated.length > 0 ? stated : found)].filter(
    (platform) => platform !== 'unknown/unknown',
  );
  const times = children.flatMap((record) => record?.summary.createdAtMs ?? []);
  return {
    platforms: platforms.slice(0, PLATFORMS_MAX),
    labels: children.find((record) => record && Object.keys(record.summary.labels).length > 0)?.summary.labels ?? {},
    ...(times.length > 0 ? { createdAtMs: Math.max(...times) } : {}),
    contentBytes: children.reduce((total, record) => total + (record?.summary.contentBytes ?? 0), 0),
  };
}

function configFacts(bytes: Buffer | undefined): Omit<ManifestSummary, 'contentBytes'> {
  const value = bytes && parse(bytes);
  if (!isRecord(value)) return { platforms: [], labels: {} };
  const parts = [value.os, value.architecture, value.variant].filter((part) => typeof part === 'string' && part !== '');
  const createdAtMs = typeof value.created === 'string' ? Date.parse(value.created.slice(0, 40)) : Number.NaN;
  const labels = isRecord(value.config) ? stringMap(value.config.Labels) : {};
  const kept = Object.entries(labels)
    .slice(0, LABELS_MAX)
    .map(([key, label]) => [key.slice(0, LABEL_MAX_CHARS), label.slice(0, LABEL_MAX_CHARS)] as const);
  return {
    platforms: parts.length < 2 ? [] : [parts.join('/').slice(0, 100)],
    labels: Object.fromEntries(kept),
    ...(Number.isNaN(createdAtMs) ? {} : { createdAtMs }),
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
