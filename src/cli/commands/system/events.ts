// Owns `events`.

import type { DaemonEvent } from '../../../client/index.ts';
import { messageOf } from '../../../lib/errors.ts';
import { CommandFailure } from '../../failure.ts';
import { filtersOrNone } from '../../filters.ts';
import { systemEvents } from '../../grammar/system.table.ts';
import { TIME_FORM } from '../../hints.table.ts';
import { processStartMs } from '../../process-start.ts';
import { rfc3339Nano } from '../../render/units.ts';
import type { Command, Session } from '../../session.ts';
import {
  dockerValue,
  evaluateTemplate,
  FUNCTION_NAMES,
  parseTemplate,
  type Template,
  TemplateError,
} from '../../template/index.ts';
import { write } from '../../terminal/stream.ts';
import { apiTime } from '../../timestamps.ts';

/** Prints events until --until, or for ever. */
export const command: Command = {
  spec: systemEvents,
  run: async (session, { flags }) => {
    const template = readTemplate(flags.text('format'));
    const since = readTime(session, flags.text('since'));
    const until = readTime(session, flags.text('until'));
    const events = await session.client().events({
      since: since ?? (until === undefined ? ownStart(session) : undefined),
      until,
      filters: filtersOrNone(flags.list('filter')),
    });
    for await (const event of events) {
      const line = template === undefined ? eventText(event) : runTemplate(template, event);
      await write(session.stdio.stdout, `${line}\n`);
    }
    return 0;
  },
};

/**
 * Whoever starts this command and then a container waits for the container's events, also when that one is faster: nothing since the
 * command's own start is missed. Only where the daemon has the same clock.
 */
function ownStart(session: Session): string | undefined {
  if (!session.chosenHost().host.startsWith('unix:')) return undefined;
  return (processStartMs() / 1000).toFixed(3);
}

function readTime(session: Session, text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return apiTime(text, session.now());
  } catch (error) {
    throw new CommandFailure(1, messageOf(error), TIME_FORM);
  }
}

function readTemplate(format: string): Template | undefined {
  if (format === '') return undefined;
  try {
    return parseTemplate(format === 'json' ? '{{json .}}' : format, FUNCTION_NAMES);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(64, `Error parsing format: ${error.message}`, error.hint);
  }
}

function runTemplate(template: Template, event: DaemonEvent): string {
  try {
    return evaluateTemplate(template, dockerValue('*events.Message', event));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CommandFailure(64, `Error parsing format: ${error.message}`, error.hint);
  }
}

/** `2024-01-02T03:04:05.000000000Z container start ID (image=x, name=y)`. @source docker 28.2.2 */
export function eventText(event: DaemonEvent): string {
  const attributes = Object.entries(event.Actor?.Attributes ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  const time = rfc3339Nano(event.time ?? 0, event.timeNano ?? 0);
  const list = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${time} ${event.Type ?? ''} ${event.Action ?? ''} ${event.Actor?.ID ?? ''}${list}`;
}
