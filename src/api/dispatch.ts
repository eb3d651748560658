// Owns the way of one request: path, version, route, handler, reply or error. Knows no sockets and no noun.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { GantryError, messageOf } from '../lib/errors.ts';
import { serverTiming, type Trace, traceOf } from '../lib/trace.ts';
import { percentDecode } from '../spec/docker/decode-query.ts';
import { ROUTES, type RouteId } from '../spec/docker/routes.ts';
import { checkVersion, NEWEST_MINOR, type VersionCheck } from './api-version.ts';
import { statusOf } from './errors.ts';
import { Exchange, type Handler, type Takeover } from './exchange.ts';
import type { ApiLogger } from './logger.ts';
import type { ReplyWriter } from './reply.ts';
import { type Match, matchRoute } from './router.ts';
import { downgradeReply } from './versions/replies.ts';

const HIJACKERS: ReadonlySet<string> = new Set(
  ROUTES.filter((route) => 'hijack' in route && route.hijack).map((route) => route.id),
);

/** What a path without version means. */
const NEWEST: VersionCheck = { kind: 'ok', minor: NEWEST_MINOR };

/** A request line taken apart. */
export interface Target {
  readonly path: string;
  readonly queryText: string;
  readonly match: Match;
}

/** Takes `method` and the request target apart; undefined when the path's escapes are broken. */
export function targetOf(method: string, url: string): Target | undefined {
  const relative = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/]*/i, '');
  const question = relative.indexOf('?');
  const rawPath = question < 0 ? relative : relative.slice(0, question);
  const queryText = question < 0 ? '' : relative.slice(question + 1);
  try {
    const path = percentDecode(rawPath, false);
    return { path, queryText, match: matchRoute(method, path) };
  } catch {
    return undefined;
  }
}

/** True when this request may leave HTTP. */
export function mayHijack(target: Target | undefined): boolean {
  return target?.match.kind === 'route' && HIJACKERS.has(target.match.id);
}

export type Dispatcher = (
  request: IncomingMessage,
  response: ServerResponse,
  target: Target | undefined,
  takeover: Takeover,
) => void;

export interface DispatcherParts {
  readonly handlers: Readonly<Record<RouteId, Handler>>;
  readonly writer: ReplyWriter;
  readonly logger: ApiLogger;
  /** Oldest API version that is answered. */
  readonly oldest?: string | undefined;
}

export function createDispatcher({ handlers, writer, logger, oldest }: DispatcherParts): Dispatcher {
  const run = async (exchange: Exchange, trace: Trace): Promise<void> => {
    const { response } = exchange;
    try {
      const reply = await handlers[exchange.route](exchange);
      const timing = response.headersSent ? undefined : serverTiming(trace);
      if (timing !== undefined) response.setHeader('Server-Timing', timing);
      if (reply.kind === 'json') {
        const { minor, route } = exchange;
        const value = minor === NEWEST_MINOR ? reply.value : downgradeReply(route, minor, reply.value);
        writer.json(response, reply.status, value);
      } else if (reply.kind === 'empty') {
        writer.empty(response, reply.status);
      }
    } catch (error) {
      fail(exchange, error);
    }
  };

  const fail = (exchange: Exchange, error: unknown): void => {
    const { response, request } = exchange;
    report(logger, `Handler for ${request.method} ${request.url} returned error`, error);
    if (response.headersSent) response.destroy();
    else if (!response.destroyed && response.socket) writer.error(response, error);
  };

  return (request, response, target, takeover) => {
    if (target === undefined) return refuseLine(response);
    const trace = traceOf(textOf(request.headers.traceparent));
    if (logger.enabled('debug')) trace.run(() => logger.log('debug', `Calling ${request.method} ${request.url}`));
    const { match } = target;
    if (match.kind === 'redirect') {
      const query = target.queryText === '' ? '' : `?${target.queryText}`;
      return writer.redirect(response, encodeURI(match.path) + query);
    }
    if (request.method === 'OPTIONS') return writer.empty(response, 200);
    if (match.kind === 'none') return writer.notFound(response);
    const version = match.version === undefined ? NEWEST : checkVersion(match.version, oldest);
    if (version.kind !== 'ok') {
      if (version.kind === 'tooNew') return writer.tooNew(response, version.message);
      return writer.tooOld(response, version.message);
    }
    const { id: route, name } = match;
    const { minor } = version;
    const exchange = new Exchange({ route, minor, name, queryText: target.queryText, request, response, takeover });
    void trace.run(() => run(exchange, trace));
  };
}

function textOf(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** Go's answer to a request that is not one. */
function refuseLine(response: ServerResponse): void {
  response.shouldKeepAlive = false;
  response.sendDate = false;
  response.writeHead(400, ['Content-Type', 'text/plain; charset=utf-8', 'Connection', 'close']);
  response.end('400 Bad Request');
}

/** Bugs and failures of the host are logged; refused requests are not. */
function report(logger: ApiLogger, what: string, error: unknown): void {
  const isBug = !(error instanceof GantryError);
  if (!isBug && (error.kind === 'cancelled' || statusOf(error) < 500)) {
    if (logger.enabled('debug')) logger.log('debug', what, { error: error.message, code: error.code });
    return;
  }
  if (!logger.enabled('error')) return;
  const stack = isBug && error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  logger.log('error', what, { error: messageOf(error), ...stack });
}
