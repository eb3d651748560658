// A private registry speaks TLS, and takes a renewed certificate without a restart.

import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { request } from 'node:https';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureVersion, TLSSocket } from 'node:tls';
import { certificate } from './support/certificate.ts';
import { scratch, startRegistry } from './support/registry.ts';

/** The name in the certificate that a new connection sees, and the answer to GET /v2/. */
function shake(url: string, maxVersion: SecureVersion = 'TLSv1.3'): Promise<{ name: string; status: number }> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}/v2/`, { rejectUnauthorized: false, agent: false, maxVersion }, (answer) => {
      const peer = (answer.socket as TLSSocket).getPeerCertificate();
      answer.resume();
      answer.once('end', () => resolve({ name: String(peer.subject.CN), status: answer.statusCode ?? 0 }));
    });
    call.once('error', reject);
    call.end();
  });
}

test('TLS, and a certificate that changes', async () => {
  using folder = scratch('tls');
  const first = await certificate(folder.path, 'first');
  await using registry = await startRegistry({
    tls: { certificateFile: first.cert, keyFile: first.key, clientCaFiles: [], minVersion: 'TLSv1.2' },
  });
  assert.match(registry.url, /^https:/);
  assert.deepEqual(await shake(registry.url), { name: 'first', status: 200 });
  const second = await certificate(folder.path, 'second');
  renameSync(second.key, first.key);
  renameSync(second.cert, first.cert);
  for (let i = 0; i < 200 && (await shake(registry.url)).name !== 'second'; i++) await sleep(100);
  assert.deepEqual(await shake(registry.url), { name: 'second', status: 200 });
  await assert.rejects(
    startRegistry({
      tls: { certificateFile: '/nowhere', keyFile: first.key, clientCaFiles: [], minVersion: 'TLSv1.2' },
    }),
    {
      code: 'TLS_INVALID',
    },
  );
});

test('plain HTTP where TLS is spoken is told so', async () => {
  using folder = scratch('tls');
  const { cert, key } = await certificate(folder.path, 'x');
  const tls = { certificateFile: cert, keyFile: key, clientCaFiles: [], minVersion: 'TLSv1.3' } as const;
  await using registry = await startRegistry({ tls });
  const answer = await fetch(`${registry.url.replace('https:', 'http:')}/v2/`);
  assert.equal(answer.status, 400);
  assert.match(await answer.text(), /this registry speaks HTTPS/);
  assert.equal((await shake(registry.url)).status, 200);
  await assert.rejects(shake(registry.url, 'TLSv1.2'), /protocol version/);
});
