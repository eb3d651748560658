// Owns the complete configuration, from the file and the flags: defaults, conversions and contradictions. Reads the files of secrets.

import { resolve } from 'node:path';
import { isLoopback } from '../networks.ts';
import type { ConfigFile } from './schema.ts';
import type {
  AccessConfig,
  ProxyConfig,
  RegistryConfig,
  ReplicationConfig,
  StorageConfig,
  TokenConfig,
  WebhookConfig,
} from './types.ts';
import {
  boolOf,
  defined,
  type From,
  flatHeaders,
  invalid,
  oneOf,
  type Setting,
  type Settings,
  secretOf,
  textOf,
} from './values.ts';

const DEFAULT_ADDRESS = '127.0.0.1:5000';
const DEFAULT_ROOT = '/var/lib/gantry-registry';
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const EVERYTHING = ['**'];
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const FORMATS = ['text', 'json'] as const;
const ANONYMOUS = ['none', 'pull', 'push'] as const;

/** `sourceOf` names the source of a key of the file. @throws CONFIG_INVALID naming the flag, variable or key */
export function completeConfig(given: Settings, file: ConfigFile, sourceOf: (key: string) => string): RegistryConfig {
  const from: From = { given, file, sourceOf };
  const address = addressOf(from);
  return {
    root: resolve(given('root')?.text ?? file.storage?.filesystem?.rootdirectory ?? DEFAULT_ROOT),
    ...address,
    tls: tlsOf(from),
    storage: storageOf(from),
    access: accessOf(from, address.host),
    ...rulesOf(file),
    webhooks: webhooksOf(from),
    proxies: (file.proxy ?? []).map((proxy, i) => proxyOf(from, proxy, `proxy.${i}`)),
    replications: (file.replication ?? []).map((target, i) => replicationOf(from, target, `replication.${i}`)),
    ...upkeepOf(from),
    ...loggingOf(from),
    headers: flatHeaders(file.http?.headers, 'http.headers'),
    prefix: (file.http?.prefix ?? '').replace(/\/+$/, ''),
    ...defined({ trustedProxies: file.http?.trustedproxies, externalUrl: externalUrlOf(from) }),
  };
}

/** Rules on content: which tags stay, which go, and which manifests are accepted and served. */
function rulesOf(
  file: ConfigFile,
): Pick<RegistryConfig, 'immutableTags' | 'retention' | 'retentionEveryMs' | 'policies' | 'scanners'> {
  return {
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
  };
}

/** What may be written and deleted, the bounds, and the intervals of garbage collection and checks. */
function upkeepOf({ given, file }: From) {
  const { maintenance } = file.storage ?? {};
  const purging = maintenance?.uploadpurging;
  return {
    isReadOnly: boolOf(given('read-only')) ?? maintenance?.readonly?.enabled ?? false,
    // distribution deletes only when this is enabled. Without the setting, the file is one of ours, and deletes are allowed.
    isDeleteOn: file.storage?.delete?.enabled ?? true,
    garbageGraceMs: file.garbage?.grace ?? HOUR,
    garbageEveryMs: file.garbage?.every ?? 10 * MINUTE,
    checkEveryMs: file.check?.every ?? 7 * 24 * HOUR,
    checkBytesPerSecond: file.check?.rate ?? 8 << 20,
    uploadExpiryMs: purging?.enabled === false ? Number.MAX_SAFE_INTEGER : (purging?.age ?? 24 * HOUR),
    maxManifestBytes: file.limits?.manifest ?? 4 << 20,
    maxBlobBytes: file.limits?.blob ?? 64 * 1024 ** 3,
  };
}

function loggingOf({ given, file }: From): Pick<RegistryConfig, 'logLevel' | 'logFormat' | 'isAccessLogOn'> {
  const { log } = file;
  return {
    logLevel: oneOf(given('log-level'), LEVELS) ?? log?.level ?? file.loglevel ?? 'info',
    logFormat: oneOf(given('log-format'), FORMATS) ?? (log?.formatter && log.formatter !== 'text' ? 'json' : 'text'),
    isAccessLogOn: !(log?.accesslog?.disabled ?? false),
  };
}

/** Where to listen. @throws CONFIG_INVALID */
function addressOf(from: From): Address {
  const { http } = from.file;
  return parseAddress(textOf(from, 'addr', http?.addr, 'http.addr') ?? { text: DEFAULT_ADDRESS, name: '--addr' });
}

type Address = Pick<RegistryConfig, 'host' | 'port'>;

/** `HOST:PORT`. As in Go, no host ('') means every IPv4 and IPv6 address. @throws CONFIG_INVALID */
function parseAddress({ text, name }: Setting): Address {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) throw invalid(`${name}: the address ${JSON.stringify(text)} is not HOST:PORT`);
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
}

/** @throws CONFIG_INVALID */
function externalUrlOf(from: From): string | undefined {
  const url = textOf(from, 'external-url', from.file.http?.host, 'http.host');
  if (url === undefined) return undefined;
  if (!URL.canParse(url.text) || !/^https?:/.test(url.text))
    throw invalid(`${url.name}: ${JSON.stringify(url.text)} is no http(s) URL`);
  return url.text.replace(/\/+$/, '');
}

function tlsOf({ given, file }: From): RegistryConfig['tls'] {
  const certificateFile = given('tls-cert')?.text ?? file.http?.tls?.certificate;
  const keyFile = given('tls-key')?.text ?? file.http?.tls?.key;
  if (certificateFile === undefined && keyFile === undefined) return undefined;
  if (certificateFile === undefined)
    throw invalid('--tls-key: TLS needs a certificate too (--tls-cert, http.tls.certificate)');
  if (keyFile === undefined) throw invalid('--tls-cert: TLS needs the private key too (--tls-key, http.tls.key)');
  // Versions before 1.2 are insecure (RFC 8996), and are not used even if the file allows them.
  const minVersion = file.http?.tls?.minimumtls === 'tls1.3' ? 'TLSv1.3' : 'TLSv1.2';
  return { certificateFile, keyFile, clientCaFiles: file.http?.tls?.clientcas ?? [], minVersion };
}

function storageOf(from: From): StorageConfig {
  const s3 = from.file.storage?.s3;
  if (!s3) return { kind: 'filesystem' };
  const folder = s3.rootdirectory.replace(/^\/+|\/+$/g, '');
  return {
    kind: 's3',
    bucket: s3.bucket,
    region: s3.region,
    ...defined({
      endpoint: s3.regionendpoint,
      accessKeyId: secretOf(from, s3.accesskey, 'storage.s3.accesskey'),
      secretAccessKey: secretOf(from, s3.secretkey, 'storage.s3.secretkey'),
    }),
    prefix: folder === '' ? '' : `${folder}/`,
    forcePathStyle: s3.forcepathstyle ?? s3.regionendpoint !== undefined,
  };
}

function accessOf({ given, file }: From, host: string): AccessConfig {
  const htpasswdFile = given('htpasswd')?.text ?? file.auth?.htpasswd?.path;
  const isToken = boolOf(given('token')) === true;
  const hasAccounts = htpasswdFile !== undefined || (file.auth?.token ?? undefined) !== undefined || isToken;
  const fallback = hasAccounts ? 'none' : isLoopback(host) ? 'push' : 'pull';
  const anonymous = oneOf(given('anonymous'), ANONYMOUS) ?? file.access?.anonymous ?? fallback;
  // Docker's daemon sends credentials only when /v2/ asks for them. With Basic alone, clients without credentials could then not pull:
  // anonymous access beside accounts needs tokens.
  const isOwn = isToken || (htpasswdFile !== undefined && anonymous !== 'none');
  const token = tokenOf(file, isOwn);
  return {
    anonymous,
    ...defined({ htpasswdFile, token }),
    realm: file.auth?.htpasswd?.realm ?? 'gantry-registry',
    rights: file.access?.rights ?? [],
    admins:
      given('admin')
        ?.text.split(',')
        .map((name) => name.trim()) ??
      file.access?.admins ??
      [],
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

function webhooksOf(from: From): WebhookConfig[] {
  const endpoints = (from.file.notifications?.endpoints ?? []).filter((endpoint) => !endpoint.disabled);
  if (new Set(endpoints.map(({ name }) => name)).size < endpoints.length)
    throw invalid('notifications.endpoints: two have the same name');
  return endpoints.map((endpoint) => {
    const key = `notifications.endpoints.${endpoint.name}`;
    const unwanted = new Set(endpoint.ignore?.actions ?? []);
    return {
      name: endpoint.name,
      url: endpoint.url,
      format: endpoint.format ?? 'distribution',
      headers: flatHeaders(endpoint.headers, `${key}.headers`),
      ...defined({ secret: secretOf(from, endpoint.secret, `${key}.secret`) }),
      actions: (endpoint.actions ?? (unwanted.size > 0 ? ALL_ACTIONS : [])).filter((action) => !unwanted.has(action)),
      repositories: endpoint.repositories ?? EVERYTHING,
      timeoutMs: endpoint.timeout ?? 10 * SECOND,
      maxAttempts: 20,
      backoffMs: endpoint.backoff ?? SECOND,
    };
  });
}

function proxyOf(from: From, proxy: NonNullable<ConfigFile['proxy']>[number], key: string): ProxyConfig {
  return {
    prefix: proxy.prefix ?? '',
    url: proxy.remoteurl.replace(/\/+$/, ''),
    ...defined({ username: proxy.username, password: secretOf(from, proxy.password, `${key}.password`) }),
    freshMs: proxy.fresh ?? 5 * MINUTE,
    expiryMs: proxy.ttl ?? 168 * HOUR,
    isInsecure: proxy.insecure ?? false,
    stale: proxy.stale ?? 'down',
    namespaces: proxy.ns === undefined ? namespacesOf(new URL(proxy.remoteurl)) : [proxy.ns],
  };
}

function replicationOf(
  from: From,
  target: NonNullable<ConfigFile['replication']>[number],
  key: string,
): ReplicationConfig {
  return {
    name: target.name,
    url: target.url.replace(/\/+$/, ''),
    repositories: target.repositories ?? EVERYTHING,
    ...defined({ username: target.username, password: secretOf(from, target.password, `${key}.password`) }),
    isInsecure: target.insecure ?? false,
    prefix: target.prefix ?? '',
  };
}

/** An origin's namespace is its host; that of Docker Hub has another name than its registry. @source containerd, docs/hosts.md */
function namespacesOf({ host }: URL): readonly string[] {
  return host === 'registry-1.docker.io' ? ['docker.io', host] : [host];
}
