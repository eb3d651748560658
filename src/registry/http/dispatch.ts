// Owns the way of every request: found, authenticated, authorised, handled, and its errors answered. Knows no verb of the registry.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GantryError } from '../../lib/errors.ts';
import { isRepositoryName } from '../../spec/oci/names.ts';
import type { Access, Grant } from '../access/types.ts';
import type { Log } from '../types.ts';
import { invitationOf, type Question, refusalOf } from './authorise.ts';
import { checkBrowser } from './browser.ts';
import { HttpExchange } from './exchange.ts';
import { foreignHost } from './host.ts';
import { ProxyNotices } from './proxy-notices.ts';
import { refuse } from './refuse.ts';
import { Router } from './router.ts';
import { Sender, type Whereabouts } from './sender.ts';
import type { RequestReport, Route } from './types.ts';

/** What a browser makes of an answer that is no page of ours: nothing. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'; sandbox";

export interface DispatchOptions {
  readonly routes: readonly Route[];
  readonly access: Access;
  /** Hears of every answered request. */
  readonly observe: (report: RequestReport) => void;
  readonly log: Log;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly whereabouts: Whereabouts;
  /** True for Host headers that may be this server's. */
  readonly isOwnHost: (host: string | undefined) => boolean;
  /** The repository that a client means by `name` in the registry `namespace`. */
  readonly nameFor?: ((name: string, namespace: string) => string) | undefined;
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
  readonly sender: Sender;
  path: string;
  /** Undefined for requests that no handler saw. */
  exchange: HttpExchange | undefined;
}

/** Makes the request listener of a server. */
export function createDispatcher(
  options: DispatchOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const notices = new ProxyNotices(options.log, options.whereabouts.external !== undefined);
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
      sender: new Sender(request, options.whereabouts),
      path: request.url ?? '',
      exchange: undefined,
    };
    notices.see(course.sender, request.headers);
    response.once('close', () => observe(options, request, response, course));
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Content-Security-Policy', NO_PAGE);
    for (const [name, value] of Object.entries(options.headers)) response.setHeader(name, value);
    handle(setUp, request, response, course).catch((error: unknown) =>
      refuse(request, response, error, course, options.log),
    );
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
  const { path, query } = targetOf(request.url ?? '/', options.whereabouts.prefix);
  course.path = path;
  const { host } = request.headers;
  if (!options.isOwnHost(host)) throw foreignHost(host ?? '');
  const match = options.router.match(request.method ?? 'GET', path);
  if (match.kind !== 'route') {
    if (match.kind === 'none') throw nothingHere();
    response.setHeader('Allow', match.allow.join(', '));
    // Browsers ask so, without credentials, before they let a page send more; what it may is in the configured headers.
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    throw new GantryError('notImplemented', 'UNSUPPORTED', `${request.method} is not supported here`);
  }
  const { route } = match;
  course.label = route.label;
  const { access, allowedOrigin } = options;
  checkBrowser({ method: route.method, headers: request.headers, allowedOrigin, hasAccounts: access.hasAccounts });
  const parameters = named(match.parameters, query.get('ns'), options.nameFor);
  const { question, grant } = await admitted(options, request, response, course, route, parameters);
  const { id, sender } = course;
  const exchange = new HttpExchange({ request, response, id, path, query, parameters, grant, sender });
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

type Parameters = Readonly<Record<string, string>>;

/** A mirror of several registries is asked by the name there, and which one is meant. @source containerd, docs/hosts.md (`?ns=`) */
function named(parameters: Parameters, namespace: string | null, nameFor: DispatchOptions['nameFor']): Parameters {
  const { name } = parameters;
  if (name === undefined || namespace === null || !nameFor) return parameters;
  return { ...parameters, name: nameFor(name, namespace) };
}

/** Who sends, once they may have the route. @throws UNAUTHORIZED with its challenge set, DENIED, NAME_INVALID, TOOMANYREQUESTS */
async function admitted(
  { access }: SetUp,
  request: IncomingMessage,
  response: ServerResponse,
  course: Course,
  route: Route,
  parameters: Parameters,
): Promise<{ readonly question: Question; readonly grant: Grant }> {
  const repository = parameters.name ?? '';
  const { authorization } = request.headers;
  const { sender } = course;
  const base = (): string => `${sender.base}${sender.prefix}`;
  const grant =
    route.right === 'open'
      ? NOBODY
      : await access.authenticate({ authorization, remoteAddress: hostOf(sender.address) }).catch((error: unknown) => {
          const isBearer = authorization !== undefined && /^bearer /i.test(authorization);
          if (error instanceof GantryError && error.kind === 'unauthorized')
            response.setHeader('WWW-Authenticate', access.challenge(undefined, base(), { isInsufficient: isBearer }));
          throw error;
        });
  course.actor = grant.actor.name;
  if (parameters.name !== undefined && !isRepositoryName(repository)) throw nameInvalid(repository);
  const question = { access, grant, route, repository, authorization, base };
  const refusal = refusalOf(question);
  if (refusal) {
    if (refusal.challenge !== undefined) response.setHeader('WWW-Authenticate', refusal.challenge);
    throw refusal.error;
  }
  return { question, grant };
}

/** Of routes that ask nobody: they judge what they need themselves. */
const NOBODY = {
  actor: { name: '', kind: 'anonymous' },
  isAdmin: false,
  mayList: false,
  may: () => false,
  could: () => false,
} as const;

function nothingHere(): GantryError {
  return new GantryError('notFound', 'NOT_FOUND', 'there is nothing at this path');
}

function nameInvalid(name: string): GantryError {
  return new GantryError('invalid', 'NAME_INVALID', 'invalid repository name', {
    params: { name: name.slice(0, 300) },
  });
}

/** Path and query of a request, without the prefix; what lies beside the prefix is nowhere. @throws BAD_PATH, NOT_FOUND */
function targetOf(url: string, prefix: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  if (prefix !== '' && raw !== prefix && !raw.startsWith(`${prefix}/`)) throw nothingHere();
  const below = raw.slice(prefix.length) || '/';
  try {
    const path = below.includes('%') ? decodeURIComponent(below) : below;
    return { path, query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)) };
  } catch (cause) {
    throw new GantryError('invalid', 'BAD_PATH', 'the path is not percent-encoded UTF-8', { cause });
  }
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

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
    remoteAddress: course.sender.address,
    proxyAddress: course.sender.isByProxy ? course.sender.peer : '',
    actor: course.actor,
    userAgent: request.headers['user-agent'] ?? '',
    isAborted: !response.writableFinished,
  });
}
