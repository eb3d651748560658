// Owns how dockerd writes values into its messages: of flags, and of daemon.json. Pure.

import type { AddressPool, Kind, Ulimit } from './option-kinds.ts';

/** A value as Go's %v writes it. */
export function showJson(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(showJson).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const keys = Object.keys(value).sort();
  return `map[${keys.map((key) => `${key}:${showJson((value as Record<string, unknown>)[key])}`).join(' ')}]`;
}

/** A flag's value. @source dockerd 28.5, conflicts with daemon.json */
export function showFlag(kind: Kind, value: unknown): string {
  if (kind === 'pools') return (value as readonly AddressPool[]).map(({ base, size }) => `${base} ${size}`).join(' ');
  if (kind === 'ulimits') {
    const limits = Object.values(value as Readonly<Record<string, Ulimit>>);
    return `[${limits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`).join(' ')}]`;
  }
  return showJson(value);
}
