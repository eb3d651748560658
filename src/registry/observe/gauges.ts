// Owns the names of what the registry's parts count. Counts nothing itself.

import type { Notifications } from '../notifications/index.ts';
import type { GarbageReport, Inventory } from '../repositories/types.ts';
import type { Gauge } from './metrics.ts';

/** What the parts tell. */
export interface Counted {
  readonly inventory: Inventory;
  /** Since the start. */
  readonly collected: GarbageReport;
  readonly webhooks: ReturnType<Notifications['counts']>;
  readonly replicationsPending: number;
  /** Faults of content and records that checks found and nobody mended. */
  readonly faults: number;
}

/** Every number beside those of requests. */
export function gaugesOf({ inventory, collected, webhooks, replicationsPending, faults }: Counted): readonly Gauge[] {
  const row = (kind: Gauge['kind'], name: string, help: string, value: number): Gauge => ({
    name: `gantry_registry_${name}`,
    help,
    kind,
    value,
  });
  return [
    row('gauge', 'repositories', 'Repositories', inventory.repositories),
    row('gauge', 'tags', 'Tags', inventory.tags),
    row('gauge', 'manifests', 'Manifests, in every repository that has them', inventory.manifests),
    row('gauge', 'blobs', 'Stored blobs beside manifests', inventory.blobs),
    row('gauge', 'blob_bytes', 'Bytes of stored blobs beside manifests', inventory.blobBytes),
    row('gauge', 'uploads', 'Unfinished uploads', inventory.uploads),
    row('counter', 'garbage_blobs_total', 'Blobs that collections removed', collected.blobs),
    row('counter', 'garbage_bytes_total', 'Bytes that collections freed', collected.bytes),
    row('counter', 'garbage_uploads_total', 'Abandoned uploads that went away', collected.uploads),
    row('counter', 'webhook_deliveries_total', 'Events that receivers acknowledged', webhooks.delivered),
    row('counter', 'webhook_failures_total', 'Tries that failed', webhooks.failed),
    row('gauge', 'webhook_events_pending', 'Events that wait for delivery', webhooks.pending),
    row('gauge', 'webhook_events_dead', 'Events that were given up', webhooks.dead),
    row('gauge', 'replication_jobs_pending', 'Copies and deletes still to be made', replicationsPending),
    row('gauge', 'content_faults', 'Faults of content and records that checks found', faults),
  ];
}
