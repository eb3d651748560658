// Owns what a NetworkMode means for namespaces. Pure.

import type { ContainerRecord } from './types.ts';

export type NetworkPlan =
  /** A namespace of its own, plugged into `networks` (none for `--network none`). */
  | { readonly kind: 'own'; readonly networks: readonly string[] }
  | { readonly kind: 'host' }
  | { readonly kind: 'container'; readonly ref: string };

export function networkPlan(record: Pick<ContainerRecord, 'hostConfig' | 'config' | 'networks'>): NetworkPlan {
  const mode = record.hostConfig.NetworkMode ?? 'bridge';
  if (record.config.NetworkDisabled) return { kind: 'own', networks: [] };
  if (mode === 'host') return { kind: 'host' };
  if (mode.startsWith('container:')) return { kind: 'container', ref: mode.slice('container:'.length) };
  return { kind: 'own', networks: mode === 'none' ? [] : [mode] };
}
