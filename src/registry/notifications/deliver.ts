// Owns sending one event to one webhook: the request, its signature, and what counts as received. Keeps nothing.

import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { WebhookConfig } from '../config/types.ts';
import type { RegistryEvent } from '../types.ts';
import { envelopeOf, signatureOf } from './envelope.ts';

const ANSWER_MAX_BYTES = 64 * 1024;

/** An event on its way. */
export interface Delivery {
  readonly event: RegistryEvent;
  /** Failed tries so far. */
  readonly attempts: number;
}

/** Sends one delivery; `source` is this registry's URL. Any 2xx is success; redirects are not followed. @throws Error with what went wrong */
export function deliver(
  webhook: WebhookConfig,
  delivery: Delivery,
  source: string,
  signal: AbortSignal,
): Promise<void> {
  const { contentType, body } = envelopeOf(webhook.format, delivery.event, source);
  const signed = webhook.secret === undefined ? {} : { 'X-Gantry-Signature': signatureOf(webhook.secret, body) };
  const headers = {
    'User-Agent': 'gantry-registry',
    ...webhook.headers,
    'Content-Type': contentType,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Gantry-Event-Id': delivery.event.id,
    'X-Gantry-Attempt': String(delivery.attempts + 1),
    ...signed,
  };
  const send = webhook.url.startsWith('https:') ? httpsRequest : httpRequest;
  const within = AbortSignal.any([signal, AbortSignal.timeout(webhook.timeoutMs)]);
  return new Promise((resolve, reject) => {
    const call = send(webhook.url, { method: 'POST', headers, signal: within }, (answer) => {
      const { statusCode = 0 } = answer;
      let bytes = 0;
      answer.on('data', (piece: Buffer) => {
        bytes += piece.length;
        if (bytes > ANSWER_MAX_BYTES) answer.destroy();
      });
      answer.once('error', () => undefined);
      answer.once('close', () => {
        if (statusCode >= 200 && statusCode < 300) resolve();
        else reject(new Error(`the receiver answered ${statusCode}`));
      });
    });
    call.once('error', (error) =>
      reject(within.aborted && !signal.aborted ? new Error(`no answer in ${webhook.timeoutMs} ms`) : error),
    );
    call.end(body);
  });
}
