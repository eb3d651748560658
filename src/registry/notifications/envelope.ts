// Owns what a webhook's body is: distribution's event envelope or a CloudEvent, and its signature. Pure.
// @source distribution 2.8, notifications/event.go; CloudEvents 1.0, JSON event format

import { createHmac } from 'node:crypto';
import type { WebhookConfig } from '../config/types.ts';
import { BLOB_TYPE, type RegistryEvent } from '../types.ts';

export interface Envelope {
  readonly contentType: string;
  readonly body: string;
}

/** `source` is this registry's URL. */
export function envelopeOf(format: WebhookConfig['format'], event: RegistryEvent, source: string): Envelope {
  return format === 'cloudevents' ? cloudEvent(event, source) : distributionEnvelope(event, source);
}

/** `sha256=<hex>`: HMAC-SHA256 of the body. */
export function signatureOf(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

function targetOf(event: RegistryEvent, source: string) {
  const { mediaType, sizeBytes, digest, repository, tag, fromRepository, subject } = event;
  const kind = mediaType === BLOB_TYPE ? 'blobs' : 'manifests';
  return {
    mediaType,
    size: sizeBytes,
    digest,
    length: sizeBytes,
    repository,
    ...(fromRepository === undefined ? {} : { fromRepository }),
    url: `${source}/v2/${repository}/${kind}/${digest}`,
    ...(tag === undefined ? {} : { tag }),
    ...(subject === undefined ? {} : { subject }),
  };
}

function requestOf({ request }: RegistryEvent) {
  if (!request) return {};
  const { id, address, host, method, userAgent } = request;
  return { request: { id, addr: address, host, method, useragent: userAgent } };
}

function distributionEnvelope(event: RegistryEvent, source: string): Envelope {
  const { id, at, action, actor } = event;
  const entry = {
    id,
    timestamp: at,
    action,
    target: targetOf(event, source),
    ...requestOf(event),
    actor: actor.name === '' ? {} : { name: actor.name },
    source: { addr: source.replace(/^https?:\/\//, '') },
  };
  return {
    contentType: 'application/vnd.docker.distribution.events.v1+json',
    body: JSON.stringify({ events: [entry] }),
  };
}

function cloudEvent(event: RegistryEvent, source: string): Envelope {
  const { id, at, action, repository, digest, actor } = event;
  const body = {
    specversion: '1.0',
    id,
    source,
    type: `dev.gantry.registry.${action}`,
    subject: `${repository}@${digest}`,
    time: at,
    datacontenttype: 'application/json',
    data: { action, target: targetOf(event, source), actor, ...requestOf(event) },
  };
  return { contentType: 'application/cloudevents+json; charset=utf-8', body: JSON.stringify(body) };
}
