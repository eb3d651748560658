// Owns Docker's event filters. Pure.

import type { EngineEvent } from './types.ts';

type Filters = ReadonlyMap<string, readonly string[]>;

/** True when `event` passes all keys; values of one key are alternatives. Unknown keys let everything pass, as in Docker. */
export function eventMatches(event: EngineEvent, filters: Filters): boolean {
  for (const [key, values] of filters) {
    if (values.length > 0 && !matchesKey(event, key, values)) return false;
  }
  return true;
}

function matchesKey(event: EngineEvent, key: string, values: readonly string[]): boolean {
  switch (key) {
    case 'event':
      return values.some((value) => event.action === value || event.action.startsWith(`${value}:`));
    case 'type':
      return values.includes(event.type);
    case 'container':
    case 'network':
    case 'volume':
    case 'daemon':
      return event.type === key && values.some((value) => namesActor(event, value));
    case 'image':
      return values.some((value) => namesImage(event, value));
    case 'label':
      // Labels of one filter are all wanted. @source moby's filters.MatchKVList, seen on 28.5
      return values.every((value) => hasLabel(event.attributes, value));
    case 'scope':
      return values.includes('local');
    default:
      return true;
  }
}

function namesActor(event: EngineEvent, value: string): boolean {
  const name = event.attributes.name ?? '';
  // Beginnings do. @source moby's filters.FuzzyMatch, seen on 28.5
  return event.actorId.startsWith(value) || name.startsWith(value.replace(/^\//, ''));
}

function namesImage(event: EngineEvent, value: string): boolean {
  const name = (event.type === 'image' ? event.attributes.name : event.attributes.image) ?? '';
  const bare = name.replace(/:[^:/]*$/, '');
  return (event.type === 'image' && event.actorId === value) || name === value || bare === value;
}

function hasLabel(attributes: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf('=');
  if (at < 0) return Object.hasOwn(attributes, wanted);
  return attributes[wanted.slice(0, at)] === wanted.slice(at + 1);
}
