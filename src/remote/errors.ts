// Owns what a registry's failures are called: transport errors as Go words them, API errors by their codes.

import { GantryError } from '../lib/errors.ts';
import { isRecord } from '../spec/oci/manifest.ts';
import { familiarName, familiarReference, type Reference } from '../spec/reference.ts';

/** A registry's answer that is an error, or no answer at all. */
export class RegistryError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** As in the distribution specification, e.g. `MANIFEST_UNKNOWN`; '' when unknown. */
  readonly code: string;
  /** True when trying again may help. */
  readonly transient: boolean;
  /** How long the registry asked to be left alone. */
  readonly retryAfterSeconds: number | undefined;
  /** What to do next, where it is known. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    facts: {
      status?: number;
      code?: string;
      transient?: boolean;
      retryAfterSeconds?: number | undefined;
      hint?: string | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: facts.cause });
    this.name = 'RegistryError';
    this.status = facts.status ?? 0;
    this.code = facts.code ?? '';
    this.transient = facts.transient ?? false;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.hint = facts.hint;
  }
}

const HTTP_ANSWER = 'http: server gave HTTP response to HTTPS client';
const UNKNOWN_AUTHORITY = 'certificate signed by unknown authority';

const X509: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};

const DIAL: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'i/o timeout',
};

/** A failed exchange in Go's words: `Get "https://…": dial tcp …`. */
export function transportError(method: string, url: string, error: unknown): RegistryError {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  const reason = reasonOf(error, url);
  return new RegistryError(`${verb} "${url}": ${reason}`, {
    transient: true,
    cause: error,
    hint: hintFor(reason, url),
  });
}

/** The next step after each of the reasons below. */
const HINTS: readonly (readonly [reason: string, step: (host: string) => string])[] = [
  [
    HTTP_ANSWER,
    (host) =>
      `if ${host} is to be spoken to without TLS, add it to "insecure-registries" in daemon.json and restart gantryd`,
  ],
  [
    UNKNOWN_AUTHORITY,
    () =>
      "put the authority's certificate into /usr/local/share/ca-certificates, run update-ca-certificates and restart gantryd",
  ],
  ['no such host', () => NAME_HINT],
  ['server misbehaving', () => NAME_HINT],
  ['connection refused', () => 'check that the registry runs, and its port'],
  ['i/o timeout', () => ROUTE_HINT],
  ['network is unreachable', () => ROUTE_HINT],
  ['no route to host', () => ROUTE_HINT],
];
const NAME_HINT = 'check the name of the registry, and that this machine resolves names';
const ROUTE_HINT = 'check the network, and HTTPS_PROXY if there is a proxy';

function hintFor(reason: string, url: string): string | undefined {
  return HINTS.find(([end]) => reason.endsWith(end))?.[1](new URL(url).host);
}

function reasonOf(error: unknown, url: string): string {
  const facts = error as { code?: unknown; address?: unknown; port?: unknown; message?: unknown; errors?: unknown };
  // Several addresses were tried: the first failure speaks for all.
  if (Array.isArray(facts.errors) && facts.errors.length > 0) return reasonOf(facts.errors[0], url);
  const code = String(facts.code ?? '');
  const host = new URL(url).hostname;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${host}: server misbehaving`;
  const dial = DIAL[code];
  if (dial) {
    const where = typeof facts.address === 'string' ? ` ${addressText(facts.address, Number(facts.port))}` : '';
    return `dial tcp${where}: connect: ${dial}`;
  }
  const x509 = X509[code];
  if (x509) return `tls: failed to verify certificate: x509: ${x509}`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return 'tls: failed to verify certificate: x509: certificate is not valid for this name';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return handshakeReason(`${code} ${String(facts.message ?? '')}`);
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'EOF';
  return typeof facts.message === 'string' ? facts.message : String(error);
}

/** OpenSSL's complaint in Go's words: an answer that is no TLS at all has a version that is none. */
function handshakeReason(text: string): string {
  if (/wrong.version.number|packet.length.too.long|http.request/i.test(text)) {
    return HTTP_ANSWER;
  }
  const alert = /alert ([a-z ]+)/i.exec(text)?.[1];
  if (alert !== undefined) return `remote error: tls: ${alert.trim()}`;
  const reason = /SSL routines:[^:]*:([^:]+)/.exec(text)?.[1];
  return `tls: ${reason ?? 'handshake failure'}`;
}

function addressText(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const DEFAULTS: Readonly<Record<number, readonly [string, string]>> = {
  401: ['UNAUTHORIZED', 'authentication required'],
  403: ['DENIED', 'requested access to the resource is denied'],
  404: ['MANIFEST_UNKNOWN', 'manifest unknown'],
  429: ['TOOMANYREQUESTS', 'too many requests'],
};

/** An error answer: the code and text of its body, or what its status stands for. */
export function answerError(status: number, statusText: string, body: Buffer, retryAfter?: string): RegistryError {
  const first = firstError(body);
  const [code, text] = first ?? DEFAULTS[status] ?? ['', ''];
  const facts = { status, transient: status === 429 || status >= 500, retryAfterSeconds: secondsIn(retryAfter) };
  if (code === '') return new RegistryError(`received unexpected HTTP status: ${status} ${statusText}`, facts);
  const hint = HINT_OF_ANSWER[code];
  return new RegistryError(`${code.toLowerCase().replaceAll('_', ' ')}: ${text}`, { ...facts, code, hint });
}

/** By the code of the answer. */
const HINT_OF_ANSWER: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'check the user name and the password or token, or log in first with "gantry login SERVER"',
  MANIFEST_UNKNOWN: 'check the tag; "latest" need not exist',
  NAME_UNKNOWN: 'check the name of the repository',
  TOOMANYREQUESTS: 'wait, or log in: most registries allow users more',
};

/** Seconds, or a date. @source RFC 9110, Retry-After */
function secondsIn(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  const at = Date.parse(retryAfter.slice(0, 100));
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

function firstError(body: Buffer): readonly [string, string] | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (!isRecord(value)) return undefined;
    const error: unknown = Array.isArray(value.errors) ? value.errors[0] : undefined;
    if (isRecord(error) && typeof error.code === 'string') {
      const text = typeof error.message === 'string' && error.message !== '' ? error.message : error.code.toLowerCase();
      return [error.code.slice(0, 64), text.slice(0, 1024)];
    }
    if (typeof value.details === 'string') return ['UNAUTHORIZED', value.details.slice(0, 1024)];
  } catch {
    // Not JSON: the status has to do.
  }
  return undefined;
}

/** What a failed pull of `reference` says to its user. @source moby distribution/errors.go */
export function pullError(error: unknown, reference: Reference): unknown {
  if (!(error instanceof RegistryError)) return error;
  const { code, message, hint } = error;
  const detail = { cause: error, hint };
  if (code === 'DENIED') {
    const text = `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${message}`;
    return new GantryError('notFound', 'PULL_DENIED', text, {
      ...detail,
      hint: 'check the name; if the repository is private, log in first with "gantry login [SERVER]"',
    });
  }
  if (code === 'MANIFEST_UNKNOWN') {
    return new GantryError(
      'notFound',
      'MANIFEST_UNKNOWN',
      `manifest for ${familiarReference(reference)} not found: ${message}`,
      detail,
    );
  }
  if (code === 'NAME_UNKNOWN') {
    return new GantryError(
      'notFound',
      'NAME_UNKNOWN',
      `repository ${familiarName(reference)} not found: ${message}`,
      detail,
    );
  }
  return plainError(error);
}

/** A registry's failure where no reference is at hand. Docker answers all of them with 500. */
export function plainError(error: RegistryError): GantryError {
  const code = error.status === 429 ? 'TOO_MANY_REQUESTS' : error.status === 401 ? 'UNAUTHORIZED' : 'REGISTRY_FAILED';
  return new GantryError('system', code, error.message, { cause: error, hint: error.hint });
}
