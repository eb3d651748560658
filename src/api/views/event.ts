// Owns one event as a line of Docker's event stream. Pure.

import type { EngineEvent } from '../../engine/events/types.ts';
import { escapeHtml } from '../json-text.ts';
import { sortedMap } from './fields.ts';

const NANOS_PER_SECOND = 1_000_000_000n;

/** One line. Container and image events repeat status, id and from on top. @source dockerd 28.5.2 */
export function eventLine(event: EngineEvent): string {
  const legacy = event.type === 'container' || event.type === 'image' ? legacyFields(event) : {};
  const body = {
    ...legacy,
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: sortedMap(event.attributes) },
    scope: 'local',
    time: Number(event.timeNano / NANOS_PER_SECOND),
  };
  // timeNano does not fit a double, so it is written by hand.
  return `${escapeHtml(JSON.stringify(body).slice(0, -1))},"timeNano":${event.timeNano}}\n`;
}

function legacyFields(event: EngineEvent): Record<string, string> {
  const from = event.type === 'container' ? event.attributes.image : undefined;
  return { status: event.action, id: event.actorId, ...(from ? { from } : {}) };
}
