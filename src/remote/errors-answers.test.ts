// Pins what a registry's refusals are called, and what of them a failed pull says to its user.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GantryError, isGantryError } from '../lib/errors.ts';
import { parseReference } from '../spec/reference.ts';
import { answerError, plainError, pullError, RegistryError, transportError } from './errors.ts';

const answer = (status: number, body: unknown, retryAfter?: string): RegistryError =>
  answerError(status, 'Words', Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), retryAfter);

/** Status, body, and the message that is shown. */
const ANSWERS: readonly (readonly [number, unknown, string])[] = [
  [404, { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'not here' }] }, 'manifest unknown: not here'],
  [404, { errors: [{ code: 'NAME_UNKNOWN' }] }, 'name unknown: name_unknown'],
  [403, { errors: [{ code: 'A', message: 'first' }, { code: 'B' }] }, 'a: first'],
  [401, { details: 'incorrect username or password' }, 'unauthorized: incorrect username or password'],
  // Bodies that are none of the registry's API: the status has to do.
  [401, '<html>', 'unauthorized: authentication required'],
  [403, { errors: [] }, 'denied: requested access to the resource is denied'],
  [404, { errors: [{ code: 7 }] }, 'manifest unknown: manifest unknown'],
  [429, '[]', 'toomanyrequests: too many requests'],
  [502, '', 'received unexpected HTTP status: 502 Words'],
  [418, 'null', 'received unexpected HTTP status: 418 Words'],
];

for (const [status, body, message] of ANSWERS) {
  test(`an answer of ${status} with ${JSON.stringify(body)} says “${message}”`, () => {
    assert.equal(answer(status, body).message, message);
  });
}

test('too many requests and failures of the registry are tried again, refusals are not', () => {
  const again = [400, 401, 403, 404, 429, 500, 503].map((status) => answer(status, '').transient);
  assert.deepEqual(again, [false, false, false, false, true, true, true]);
});

test('a registry says how long it wants to be left alone in seconds, or by a date', () => {
  assert.equal(answer(429, '', '120').retryAfterSeconds, 120);
  const inAMinute = answer(429, '', new Date(Date.now() + 60_000).toUTCString()).retryAfterSeconds ?? 0;
  assert.ok(inAMinute > 50 && inAMinute <= 60);
  assert.equal(answer(429, '', new Date(0).toUTCString()).retryAfterSeconds, 0);
  for (const none of [undefined, 'soon', '-5x', `${'9'.repeat(50)}`]) {
    assert.equal(answer(429, '', none).retryAfterSeconds, undefined);
  }
});

test('a registry cannot fill the log with its error', () => {
  const { message, code } = answer(403, { errors: [{ code: 'C'.repeat(10_000), message: 'm'.repeat(100_000) }] });
  assert.ok(message.length < 1200 && code.length === 64);
});

/** The facts of a failed connection, and Go's words for it, which scripts look for. */
const FAILURES: readonly (readonly [object, string])[] = [
  [{ code: 'ECONNREFUSED', address: '127.0.0.1', port: 1 }, 'dial tcp 127.0.0.1:1: connect: connection refused'],
  [{ code: 'EHOSTUNREACH', address: '::1', port: 2 }, 'dial tcp [::1]:2: connect: no route to host'],
  [{ code: 'ENETUNREACH' }, 'dial tcp: connect: network is unreachable'],
  [{ code: 'ENOTFOUND' }, 'dial tcp: lookup r.example: no such host'],
  [{ code: 'EAI_AGAIN' }, 'dial tcp: lookup r.example: server misbehaving'],
  [
    { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  ],
  [
    { code: 'CERT_HAS_EXPIRED' },
    'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
  ],
  [
    { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    'tls: failed to verify certificate: x509: certificate is not valid for this name',
  ],
  [{ code: 'ECONNRESET' }, 'EOF'],
  [{ message: 'odd' }, 'odd'],
  // Both addresses of a name were tried.
  [{ errors: [{ code: 'ETIMEDOUT' }, { code: 'ECONNREFUSED' }] }, 'dial tcp: connect: i/o timeout'],
];

for (const [facts, reason] of FAILURES) {
  test(`a connection that fails with ${JSON.stringify(facts)} is told as Go tells it, and may be tried again`, () => {
    const error = transportError('HEAD', 'https://r.example/v2/', facts);
    assert.deepEqual([error.message, error.transient], [`Head "https://r.example/v2/": ${reason}`, true]);
  });
}

const reference = parseReference('docker.io/library/nginx:9');
const refusal = (status: number, code: string): RegistryError => new RegistryError('why', { status, code });

/** A refusal, and the kind, code and text of the failed pull. */
const PULLS: readonly (readonly [RegistryError, string, string, string])[] = [
  [
    refusal(403, 'DENIED'),
    'notFound',
    'PULL_DENIED',
    "pull access denied for nginx, repository does not exist or may require 'docker login': why",
  ],
  [refusal(404, 'MANIFEST_UNKNOWN'), 'notFound', 'MANIFEST_UNKNOWN', 'manifest for nginx:9 not found: why'],
  [refusal(404, 'NAME_UNKNOWN'), 'notFound', 'NAME_UNKNOWN', 'repository nginx not found: why'],
  [refusal(401, 'UNAUTHORIZED'), 'system', 'UNAUTHORIZED', 'why'],
  [refusal(429, 'TOOMANYREQUESTS'), 'system', 'TOO_MANY_REQUESTS', 'why'],
  [refusal(500, ''), 'system', 'REGISTRY_FAILED', 'why'],
];

for (const [error, kind, code, message] of PULLS) {
  test(`a pull that is refused with ${error.status} ${error.code} says so as Docker does`, () => {
    const shown = pullError(error, reference);
    assert.ok(isGantryError(shown));
    assert.deepEqual([shown.kind, shown.code, shown.message], [kind, code, message]);
    assert.equal(shown.cause, error);
  });
}

test('a failed pull that is not the registry’s fault stays what it is', () => {
  const full = new GantryError('exhausted', 'NO_SPACE', 'full');
  assert.equal(pullError(full, reference), full);
  assert.equal(plainError(refusal(0, '')).kind, 'system');
});
