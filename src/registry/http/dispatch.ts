// Owns the way of every request: found, authenticated, authorised, handled, and its errors answered. Knows no verb of the registry.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { isRepositoryName } from '../../spec/oci/names.ts';
import type { Access } from '../access/types.ts';
import type { Log } from '../types.ts';
import { invitationOf, type Question, refusalOf } from './authorise.ts';
import { checkBrowser } from './browser.ts';
import { wireError } from './errors.ts';
import { HttpExchange } from './exchange.ts';
import { type Match, Router } from './router.ts';
import type { RequestReport, Route } from './types.ts';

/** After an error the rest of a body is read and dropped for so long, so that the sender sees the answer. */
const LINGER_MS = 10_000;
const HOST = /^[A-Za-z0-9.\-_]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/;

export interface DispatchOptions {
  readonly routes: readonly Route[];
  readonly access: Access;
  /** Hears of every answered request. */
  readonly observe: (report: RequestReport) => void;
  readonly log: Log;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly externalUrl: string | undefined;
  /** True for addresses whose X-Forwarded-* are believed. */
  readonly isTrustedProxy: (address: string) => boolean;
}

/** The same for every request. */
interface SetUp extends DispatchOptions {
  readonly router: Router;
  /** The configured Access-Control-Allow-Origin, or ''. */
  readonly allowedOrigin: string;
}

/** What a request turned out to be, for the observer. */
interface Course {
  label: string;
  actor: string;
  readonly id: string;
  readonly startedMs: number;
  readonly remote: string;
  path: string;
  /** Undefined for requests that no handler saw. */
  exchange: HttpExchange | undefined;
}

/** Makes the request listener of a server. */
export function createDispatcher(
  options: DispatchOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const setUp: SetUp = {
    ...options,
    router: new Router(options.routes),
    allowedOrigin: allowedOriginOf(options.headers),
  };
  return (request, response) => {
    const course: Course = {
      label: 'unknown',
      actor: '',
      id: randomUUID(),
      startedMs: performance.now(),
      remote: addressOf(request, options),
      path: request.url ?? '',
      exchange: undefined,
    };
    response.once('close', () => observe(options, request, response, course));
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    for (const [name, value] of Object.entries(options.headers)) response.setHeader(name, value);
    handle(setUp, request, response, course).catch((error: unknown) => fail(options, request, response, course, error));
  };
}

/** Names of headers have no case. */
function allowedOriginOf(headers: Readonly<Record<string, string>>): string {
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'access-control-allow-origin');
  return entry?.[1] ?? '';
}

async function handle(
  options: SetUp,
  request: IncomingMessage,
  response: ServerResponse,
  course: Course,
): Promise<void> {
  const { path, query } = targetOf(request.url ?? '/');
  course.path = path;
  const match = options.router.match(request.method ?? 'GET', path);
  if (match.kind !== 'route') {
    if (match.kind === 'none') throw new GantryError('notFound', 'NOT_FOUND', 'there is nothing at this path');
    response.setHeader('Allow', match.allow.join(', '));
    // Browsers ask so, without credentials, before they let a page send more; what it may is in the configured headers.
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    throw new GantryError('notImplemented', 'UNSUPPORTED', `${request.method} is not supported here`);
  }
  const { route, parameters } = match;
  course.label = route.label;
  checkBrowser({ method: route.method, headers: request.headers, allowedOrigin: options.allowedOrigin });
  const question = await admitted(options, request, response, course, match);
  const { grant, base } = question;
  const { id, remote: address } = course;
  const exchange = new HttpExchange({ request, response, id, path, query, parameters, grant, base, address });
  course.exchange = exchange;
  try {
    await route.handle(exchange);
  } catch (error) {
    const invitation = invitationOf(question, error);
    if (!invitation || response.headersSent) throw error;
    response.setHeader('WWW-Authenticate', invitation.challenge);
    throw invitation.error;
  }
}

/** Who sends, once they may have the route. @throws UNAUTHORIZED with its challenge set, DENIED, NAME_INVALID, TOOMANYREQUESTS */
async function admitted(
  options: SetUp,
  request: IncomingMessage,
  response: ServerResponse,
  course: Course,
  { route, parameters }: Match & { readonly kind: 'route' },
): Promise<Question> {
  const { access } = options;
  const repository = parameters.name ?? '';
  const { authorization } = request.headers;
  const base = baseOf(request, options);
  const credentials = { authorization, remoteAddress: hostOf(course.remote) };
  const known = await access.authenticate(credentials).catch((error: unknown) => {
    // Routes that ask nobody judge the credentials themselves.
    if (route.right === 'open') return undefined;
    const isBearer = authorization !== undefined && /^bearer /i.test(authorization);
    if (error instanceof GantryError && error.kind === 'unauthorized') {
      response.setHeader('WWW-Authenticate', access.challenge(undefined, base, { isInsufficient: isBearer }));
    }
    throw error;
  });
  const grant = known ?? NOBODY;
  course.actor = grant.actor.name;
  if (parameters.name !== undefined && !isRepositoryName(repository)) throw nameInvalid(repository);
  const question = { access, grant, route, repository, authorization, base };
  const refusal = refusalOf(question);
  if (refusal) {
    if (refusal.challenge !== undefined) response.setHeader('WWW-Authenticate', refusal.challenge);
    throw refusal.error;
  }
  return question;
}

const NOBODY = {
  actor: { name: '', kind: 'anonymous' },
  isAdmin: false,
  mayList: false,
  may: () => false,
  could: () => false,
} as const;

function nameInvalid(name: string): GantryError {
  return new GantryError('invalid', 'NAME_INVALID', 'invalid repository name', {
    params: { name: name.slice(0, 300) },
  });
}

/** @throws BAD_PATH */
function targetOf(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  try {
    const path = raw.includes('%') ? decodeURIComponent(raw) : raw;
    return { path, query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)) };
  } catch (cause) {
    throw new GantryError('invalid', 'BAD_PATH', 'the path is not percent-encoded UTF-8', { cause });
  }
}

function addressOf(request: IncomingMessage, options: DispatchOptions): string {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  const forwarded = request.headers['x-forwarded-for'];
  if (typeof forwarded === 'string' && forwarded.length < 1024 && options.isTrustedProxy(remoteAddress)) {
    const nearest = forwarded.split(',').at(-1)?.trim() ?? '';
    if (/^[0-9A-Fa-f:.]{2,45}$/.test(nearest)) return `${nearest}:0`;
  }
  return `${remoteAddress}:${remotePort}`;
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

/** This server's URL as the client sees it. */
function baseOf(request: IncomingMessage, options: DispatchOptions): string {
  if (options.externalUrl !== undefined) return options.externalUrl;
  const isTls = 'encrypted' in request.socket;
  const isTrusted = options.isTrustedProxy(request.socket.remoteAddress ?? '');
  const forwarded = isTrusted ? request.headers['x-forwarded-proto'] : undefined;
  const scheme = forwarded === 'https' || forwarded === 'http' ? forwarded : isTls ? 'https' : 'http';
  const { host = '' } = request.headers;
  return HOST.test(host) ? `${scheme}://${host}` : '';
}

function fail(
  options: DispatchOptions,
  request: IncomingMessage,
  response: ServerResponse,
  course: Course,
  error: unknown,
): void {
  if (response.destroyed || response.socket?.destroyed) return;
  const { status, body, retryAfterSeconds } = wireError(error);
  if (status >= 500) {
    // What was foreseen needs no stack, a bug does.
    const isBug = error instanceof Error && !(error instanceof GantryError);
    const text = isBug ? (error.stack ?? error.message) : messageOf(error);
    options.log('error', `${request.method} ${course.path.slice(0, 500)}: ${text}`, { id: course.id });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
  if (!request.complete) linger(request, response);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A sender in the middle of a body must find the answer before the connection ends. Node reads and drops what still comes. */
function linger(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(timer));
}

function observe(options: DispatchOptions, request: IncomingMessage, response: ServerResponse, course: Course): void {
  const length = Number(response.getHeader('content-length') ?? 0);
  options.observe({
    id: course.id,
    label: course.label,
    method: request.method ?? '',
    path: course.path,
    status: response.statusCode,
    durationMs: performance.now() - course.startedMs,
    bytesIn: course.exchange?.bytesIn ?? 0,
    bytesOut: request.method === 'HEAD' ? 0 : length,
    remoteAddress: course.remote,
    actor: course.actor,
    userAgent: request.headers['user-agent'] ?? '',
    isAborted: !response.writableFinished,
  });
}
