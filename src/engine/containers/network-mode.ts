// Owns what a NetworkMode means for namespaces. Pure.

import { joinedContainer } from '../../spec/docker/join-mode.ts';
import type { ContainerRecord } from './types.ts';

export type NetworkPlan =
  /** A namespace of its own, joined to `networks`. */
  | { readonly kind: 'own'; readonly networks: readonly string[] }
  | { readonly kind: 'host'; readonly networks: readonly string[] }
  /** Another container's namespace and networks. */
  | { readonly kind: 'container'; readonly networks: readonly [] };

export function networkPlan(record: Pick<ContainerRecord, 'hostConfig' | 'config' | 'networks'>): NetworkPlan {
  const mode = record.hostConfig.NetworkMode ?? 'bridge';
  if (record.config.NetworkDisabled) return { kind: 'own', networks: [] };
  if (mode === 'host') return { kind: 'host', networks: ['host'] };
  if (joinedContainer(mode) !== undefined) return { kind: 'container', networks: [] };
  return { kind: 'own', networks: Object.keys(record.networks) };
}
