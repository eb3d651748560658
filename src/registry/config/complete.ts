// Owns the way from the file and the flags to a whole configuration: defaults, meanings, and what does not go together. Reads secrets' files.

import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { ConfigFile } from './schema.ts';
import type { AccessConfig, ProxyConfig, RegistryConfig, StorageConfig, TokenConfig, WebhookConfig } from './types.ts';

const DEFAULT_ADDRESS = '127.0.0.1:5000';
const DEFAULT_ROOT = '/var/lib/gantry-registry';
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const EVERYTHING = ['**'];

/** What flags (or GANTRY_REGISTRY_* variables) say; they win over the file. */
export interface Given {
  readonly addr?: string | undefined;
  readonly root?: string | undefined;
  readonly anonymous?: string | undefined;
  readonly htpasswd?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly isToken?: boolean | undefined;
  readonly externalUrl?: string | undefined;
  readonly isReadOnly?: boolean | undefined;
  readonly logLevel?: string | undefined;
  readonly logFormat?: string | undefined;
}

/** @throws CONFIG_INVALID */
export function completeConfig(given: Given, file: ConfigFile): RegistryConfig {
  const { host, port } = parseAddress(given.addr ?? file.http?.addr ?? DEFAULT_ADDRESS);
  const purging = file.storage?.maintenance?.uploadpurging;
  return {
    root: resolve(given.root ?? file.storage?.filesystem?.rootdirectory ?? DEFAULT_ROOT),
    host,
    port,
    tls: tlsOf(given, file),
    storage: storageOf(file),
    access: accessOf(given, file, host),
    immutableTags: file.tags?.immutable ?? [],
    retention: (file.retention?.rules ?? []).map((rule) => ({
      repositories: rule.repositories ?? EVERYTHING,
      tags: rule.tags ?? EVERYTHING,
      keepMatching: rule.keepmatching ?? [],
      ...defined({ keepNewest: rule.keepnewest, keepNewerThanMs: rule.keepnewerthan }),
      ...defined({ untaggedOlderThanMs: rule.untaggedolderthan }),
    })),
    retentionEveryMs: file.retention?.every ?? 0,
    policies: (file.policies ?? []).map((rule) => ({
      repositories: rule.repositories ?? EVERYTHING,
      keyFiles: rule.keys ?? [],
      acceptOnlySigned: rule.acceptonlysigned ?? false,
      serveOnlySigned: rule.serveonlysigned ?? false,
      ...defined({ refuseSeverity: rule.refuseseverity }),
      refuseUnscanned: rule.refuseunscanned ?? false,
    })),
    scanners: (file.scanners ?? []).map((scanner) => ({
      command: scanner.command,
      timeoutMs: scanner.timeout ?? 10 * MINUTE,
      repositories: scanner.repositories ?? EVERYTHING,
      format: scanner.format ?? 'trivy',
    })),
    webhooks: webhooksOf(file),
    proxies: (file.proxy ?? []).map(proxyOf),
    replications: (file.replication ?? []).map((target) => ({
      name: target.name,
      url: target.url.replace(/\/+$/, ''),
      repositories: target.repositories ?? EVERYTHING,
      ...defined({ username: target.username, password: secretOf(target.password) }),
      isInsecure: target.insecure ?? false,
      prefix: target.prefix ?? '',
    })),
    isReadOnly: given.isReadOnly ?? file.storage?.maintenance?.readonly?.enabled ?? false,
    // distribution deletes only where told to; a file that says nothing of it is ours, and deletes.
    isDeleteOn: file.storage?.delete?.enabled ?? true,
    garbageGraceMs: file.garbage?.grace ?? HOUR,
    garbageEveryMs: file.garbage?.every ?? 10 * MINUTE,
    uploadExpiryMs: purging?.enabled === false ? Number.MAX_SAFE_INTEGER : (purging?.age ?? 24 * HOUR),
    maxManifestBytes: file.limits?.manifest ?? 4 << 20,
    maxBlobBytes: file.limits?.blob ?? 64 * 1024 ** 3,
    logLevel: levelOf(given.logLevel ?? file.log?.level ?? file.loglevel ?? 'info'),
    logFormat: (given.logFormat ?? file.log?.formatter ?? 'text') === 'text' ? 'text' : 'json',
    isAccessLogOn: !(file.log?.accesslog?.disabled ?? false),
    headers: flatHeaders(file.http?.headers),
    trustedProxies: file.http?.trustedproxies ?? [],
    ...defined({ externalUrl: (given.externalUrl ?? file.http?.host)?.replace(/\/+$/, '') }),
  };
}

/** @throws CONFIG_INVALID */
export function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) throw invalid(`the address ${JSON.stringify(text)} is not HOST:PORT`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, '') || '0.0.0.0', port };
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  if (family === 0) return false;
  const block = new BlockList();
  block.addSubnet('127.0.0.0', 8, 'ipv4');
  block.addAddress('::1', 'ipv6');
  return block.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function tlsOf(given: Given, file: ConfigFile): RegistryConfig['tls'] {
  const certificateFile = given.tlsCert ?? file.http?.tls?.certificate;
  const keyFile = given.tlsKey ?? file.http?.tls?.key;
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined || keyFile === undefined) throw invalid('TLS needs a certificate and its key');
  // What is older than 1.2 is broken (RFC 8996), whatever the file allows.
  const minVersion = file.http?.tls?.minimumtls === 'tls1.3' ? 'TLSv1.3' : 'TLSv1.2';
  return { certificateFile, keyFile, clientCaFiles: file.http?.tls?.clientcas ?? [], minVersion };
}

function storageOf({ storage }: ConfigFile): StorageConfig {
  const s3 = storage?.s3;
  if (!s3) return { kind: 'filesystem' };
  const folder = s3.rootdirectory.replace(/^\/+|\/+$/g, '');
  return {
    kind: 's3',
    bucket: s3.bucket,
    region: s3.region,
    ...defined({
      endpoint: s3.regionendpoint,
      accessKeyId: secretOf(s3.accesskey),
      secretAccessKey: secretOf(s3.secretkey),
    }),
    prefix: folder === '' ? '' : `${folder}/`,
    forcePathStyle: s3.forcepathstyle ?? s3.regionendpoint !== undefined,
  };
}

function accessOf(given: Given, file: ConfigFile, host: string): AccessConfig {
  const htpasswdFile = given.htpasswd ?? file.auth?.htpasswd?.path;
  const hasAccounts = htpasswdFile !== undefined || file.auth?.token !== undefined || given.isToken === true;
  const fallback = hasAccounts ? 'none' : isLoopback(host) ? 'push' : 'pull';
  const anonymous = given.anonymous ?? file.access?.anonymous ?? fallback;
  if (anonymous !== 'none' && anonymous !== 'pull' && anonymous !== 'push') {
    throw invalid(`anonymous is none, pull or push, not ${JSON.stringify(anonymous)}`);
  }
  // Docker's daemon shows credentials only where /v2/ asks for them. With Basic alone, who has none could then not pull:
  // anonymous access beside accounts needs tokens.
  const isOwn = given.isToken === true || (htpasswdFile !== undefined && anonymous !== 'none');
  const token = tokenOf(file, isOwn);
  return {
    anonymous,
    ...defined({ htpasswdFile, token }),
    realm: file.auth?.htpasswd?.realm ?? 'gantry-registry',
    rights: file.access?.rights ?? [],
    admins: file.access?.admins ?? [],
  };
}

function tokenOf(file: ConfigFile, isOwn: boolean): TokenConfig | undefined {
  const token = file.auth?.token;
  if (!token && !isOwn) return undefined;
  const kind = isOwn || token?.own === true ? 'own' : 'external';
  const keyFile = token?.rootcertbundle ?? token?.jwks;
  if (kind === 'external' && (token?.realm === undefined || keyFile === undefined || token.issuer === undefined)) {
    throw invalid('auth.token needs realm, issuer and rootcertbundle (or own: true for tokens of our own)');
  }
  return {
    kind,
    ...defined({ realm: token?.realm, keyFile }),
    service: token?.service ?? 'gantry-registry',
    issuer: token?.issuer ?? 'gantry-registry',
    lifetimeSeconds: Math.max(60, Math.round((token?.lifetime ?? 5 * MINUTE) / SECOND)),
  };
}

const ALL_ACTIONS = ['push', 'pull', 'delete', 'mount', 'sign', 'scan'];

function webhooksOf(file: ConfigFile): WebhookConfig[] {
  const endpoints = (file.notifications?.endpoints ?? []).filter((endpoint) => !endpoint.disabled);
  if (new Set(endpoints.map(({ name }) => name)).size < endpoints.length)
    throw invalid('two notification endpoints have the same name');
  return endpoints.map((endpoint) => {
    const unwanted = new Set(endpoint.ignore?.actions ?? []);
    return {
      name: endpoint.name,
      url: endpoint.url,
      format: endpoint.format ?? 'distribution',
      headers: flatHeaders(endpoint.headers),
      ...defined({ secret: secretOf(endpoint.secret) }),
      actions: (endpoint.actions ?? (unwanted.size > 0 ? ALL_ACTIONS : [])).filter((action) => !unwanted.has(action)),
      repositories: endpoint.repositories ?? EVERYTHING,
      timeoutMs: endpoint.timeout ?? 10 * SECOND,
      maxAttempts: 20,
      backoffMs: endpoint.backoff ?? SECOND,
    };
  });
}

function proxyOf(proxy: NonNullable<ConfigFile['proxy']>[number]): ProxyConfig {
  return {
    prefix: proxy.prefix ?? '',
    url: proxy.remoteurl.replace(/\/+$/, ''),
    ...defined({ username: proxy.username, password: secretOf(proxy.password) }),
    freshMs: proxy.fresh ?? 5 * MINUTE,
    expiryMs: proxy.ttl ?? 168 * HOUR,
    isInsecure: proxy.insecure ?? false,
  };
}

function flatHeaders(headers: Readonly<Record<string, string | string[]>> | undefined): Record<string, string> {
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name, [value].flat().join(', ')] as const);
  for (const [name, value] of entries) {
    if (!/^[A-Za-z0-9-]+$/.test(name) || /[\r\n\0]/.test(value))
      throw invalid(`the header ${JSON.stringify(name)} is malformed`);
  }
  return Object.fromEntries(entries);
}

function secretOf(secret: string | { readonly file: string } | undefined): string | undefined {
  if (secret === undefined || typeof secret === 'string') return secret;
  try {
    return readFileSync(secret.file, 'utf8').trimEnd();
  } catch (cause) {
    throw invalid(`cannot read the secret: ${messageOf(cause)}`);
  }
}

function levelOf(text: string): RegistryConfig['logLevel'] {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error') return text;
  throw invalid(`the log level is debug, info, warn or error, not ${JSON.stringify(text)}`);
}

/** Without the members that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'CONFIG_INVALID', message);
}
