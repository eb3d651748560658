// Owns the routes about the daemon itself: ping, version, info, events, disk usage, login. Knows no containers.

import type { EngineEvent } from '../../engine/events/types.ts';
import { GantryError } from '../../lib/errors.ts';
import { registryAuthOf } from '../../spec/docker/decode-registry-auth.ts';
import { parseFilters } from '../../spec/docker/filters.ts';
import type { RouteId } from '../../spec/docker/routes.ts';
import { parseUnixTimestamp } from '../../spec/time.ts';
import { writeAll } from '../byte-stream.ts';
import type { ApiContext } from '../context.ts';
import { DONE, type Exchange, type Handlers, json, type Reply } from '../exchange.ts';
import { eventLine } from '../views/event.ts';
import { diskUsage } from './disk-usage.ts';

type SystemRoute = Extract<RouteId, 'ping' | 'pingHead' | 'version' | 'info' | 'events' | 'diskUsage' | 'auth'>;

export function systemHandlers(context: ApiContext): Handlers<SystemRoute> {
  const { engine, writer, openTcp } = context;
  return {
    ping({ response }) {
      writer.ping(response, true);
      return DONE;
    },
    pingHead({ response }) {
      writer.ping(response, false);
      return DONE;
    },
    version: async () => json(await engine.system.version()),
    async info() {
      const info = await engine.system.info();
      const warnings = [...openTcp.map(openTcpWarning), ...(info.Warnings ?? [])];
      return json({ ...info, Warnings: warnings.length > 0 ? warnings : null });
    },
    events: (x) => sendEvents(context, x),
    diskUsage: async ({ query }) => json(await diskUsage(engine, query.all('type'))),
    async auth(x) {
      const credentials = registryAuthOf(await authBody(x)) ?? {};
      const { status, identityToken } = await engine.images.login(credentials, x.signal);
      return json({ Status: status, IdentityToken: identityToken });
    },
  };
}

/** @source moby v28.5 daemon/info.go */
function openTcpWarning(open: string): string {
  return [
    `WARNING: API is accessible on ${open}.`,
    '         Access to the remote API is equivalent to root access on the host. Refer',
    "         to the 'Docker daemon attack surface' section in the documentation for",
    '         more information: https://docs.docker.com/go/attack-surface/',
  ].join('\n');
}

/** Docker reads this body without its usual care: any type, and every fault is a 500. */
async function authBody(x: Exchange): Promise<unknown> {
  const text = await x.text();
  if (text.trim() === '') throw new GantryError('system', 'INVALID_JSON', 'EOF');
  try {
    // The decoder finds the faults; the credentials have more fields than it knows.
    await x.plainBody('AuthConfig');
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^invalid JSON: /, '') : String(error);
    throw new GantryError('system', 'INVALID_JSON', message);
  }
}

async function sendEvents({ engine, writer }: ApiContext, x: Exchange): Promise<Reply> {
  const { query, response } = x;
  const sinceText = query.get('since');
  const untilText = query.get('until');
  const since = parseUnixTimestamp(sinceText);
  const until = parseUnixTimestamp(untilText);
  if (since !== undefined && until !== undefined && since > until) {
    const message = `\`since\` time (${sinceText}) cannot be after \`until\` time (${untilText})`;
    throw new GantryError('invalid', 'BAD_INTERVAL', message);
  }
  const filters = parseFilters(query.get('filters'));
  const events = engine.events.subscribe({ since, until, filters }, x.watchHalfClose());
  writer.head(response, 200, 'application/json');
  response.flushHeaders();
  await writeAll(response, lines(events));
  response.end();
  return DONE;
}

async function* lines(events: AsyncIterable<EngineEvent>): AsyncIterable<string> {
  for await (const event of events) yield eventLine(event);
}
