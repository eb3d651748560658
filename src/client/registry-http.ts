// Owns HTTP exchanges with a registry: which TLS certificates to trust, and a time limit for an answer to begin. Knows no path of any API.

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { getCACertificates } from 'node:tls';

/** Whom to trust, and as whom to come. */
export interface RegistryTls {
  /** PEM certificates, besides those that this machine trusts. */
  readonly ca?: readonly string[] | undefined;
  /** PEM, with `key`. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Certificates are not verified. */
  readonly isUnverified?: boolean | undefined;
}

export interface RegistryExchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly tls: RegistryTls;
}

/** An answer of no status, or one that says no. */
export class RegistryRequestError extends Error {
  /** HTTP status; 0 without an answer. */
  readonly status: number;
  /** Node's code for why there was no answer, e.g. `ECONNREFUSED`; '' when there was one. */
  readonly code: string;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RegistryRequestError';
    this.status = status;
    const { code } = (cause ?? {}) as { code?: unknown };
    this.code = typeof code === 'string' ? code : '';
  }
}

/** An answer whose head has arrived; its body must be read or destroyed. */
export interface RegistryAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
}

const ANSWER_MS = 300_000;
const CONNECT_MS = 15_000;

/** Sends a request; redirects are not followed. @throws RegistryRequestError (0) when no answer comes */
export function exchange({ method, url, headers, body, tls }: RegistryExchange): Promise<RegistryAnswer> {
  const isTls = url.protocol === 'https:';
  const send = isTls ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new RegistryRequestError(0, reasonOf(url, error), error));
    const call = send(url, { method, headers, agent: false, ...(isTls ? secureOptions(tls) : {}) });
    const connecting = setTimeout(() => call.destroy(new Error('no connection in time')), CONNECT_MS);
    call.setTimeout(ANSWER_MS, () => call.destroy(new Error('no answer in time')));
    call.once('socket', (socket) => socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(connecting)));
    call.once('error', (error) => {
      clearTimeout(connecting);
      fail(error);
    });
    call.once('response', (answer) => {
      const { statusCode = 0, statusMessage = '' } = answer;
      resolve({ status: statusCode, statusText: statusMessage, headers: answer.headers, body: answer });
    });
    call.end(body);
  });
}

function secureOptions({ ca = [], cert, key, isUnverified = false }: RegistryTls) {
  return {
    rejectUnauthorized: !isUnverified,
    ca: [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...ca])],
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

const NOT_TRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/** Docker's words for certificates that no trusted CA signed. */
function reasonOf(url: URL, error: Error): string {
  const { code = '' } = error as { code?: string };
  const isUnknown = NOT_TRUSTED.has(code);
  const reason = isUnknown
    ? 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
    : error.message || code;
  return `cannot reach the registry at ${url.origin}: ${reason}`;
}

/** True when the other side speaks no TLS, or nothing listens on its TLS port. */
export function isNoTls(error: unknown): boolean {
  return (
    error instanceof RegistryRequestError &&
    /^(?:EPROTO|ECONNRESET|ECONNREFUSED|EPIPE|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST))$/.test(
      error.code,
    )
  );
}

/** True when a certificate was not verified, for whichever reason. */
export function isNotVerified(error: unknown): boolean {
  return (
    error instanceof RegistryRequestError &&
    (NOT_TRUSTED.has(error.code) || /^(?:CERT_|ERR_TLS_CERT_)/.test(error.code))
  );
}
