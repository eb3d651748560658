// Owns the way from the file and the flags to a whole configuration: defaults, meanings, and what does not go together. Reads secrets' files.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { isLoopback } from '../networks.ts';
import type { ConfigFile } from './schema.ts';
import type { AccessConfig, ProxyConfig, RegistryConfig, StorageConfig, TokenConfig, WebhookConfig } from './types.ts';

const DEFAULT_ADDRESS = '127.0.0.1:5000';
const DEFAULT_ROOT = '/var/lib/gantry-registry';
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const EVERYTHING = ['**'];

/** What a flag or its variable says. */
export interface Setting {
  readonly text: string;
  /** `--addr`, or `GANTRY_REGISTRY_ADDR`: errors name it. */
  readonly name: string;
}

/** Flags and variables, which win over the file. */
export type Settings = (flag: string) => Setting | undefined;

/** `sourceOf` tells what set a key of the file. @throws CONFIG_INVALID naming the flag, variable or key */
export function completeConfig(given: Settings, file: ConfigFile, sourceOf: (key: string) => string): RegistryConfig {
  const from: From = { given, file, sourceOf };
  const addr = textOf(from, 'addr', file.http?.addr, 'http.addr') ?? { text: DEFAULT_ADDRESS, name: '--addr' };
  const { host, port } = parseAddress(addr);
  const purging = file.storage?.maintenance?.uploadpurging;
  return {
    root: resolve(given('root')?.text ?? file.storage?.filesystem?.rootdirectory ?? DEFAULT_ROOT),
    host,
    port,
    tls: tlsOf(from),
    storage: storageOf(from),
    access: accessOf(from, host),
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
    webhooks: webhooksOf(from),
    proxies: (file.proxy ?? []).map((proxy, i) => proxyOf(from, proxy, `proxy.${i}`)),
    replications: (file.replication ?? []).map((target, i) => ({
      name: target.name,
      url: target.url.replace(/\/+$/, ''),
      repositories: target.repositories ?? EVERYTHING,
      ...defined({ username: target.username, password: secretOf(from, target.password, `replication.${i}.password`) }),
      isInsecure: target.insecure ?? false,
      prefix: target.prefix ?? '',
    })),
    isReadOnly: boolOf(given('read-only')) ?? file.storage?.maintenance?.readonly?.enabled ?? false,
    // distribution deletes only where told to; a file that says nothing of it is ours, and deletes.
    isDeleteOn: file.storage?.delete?.enabled ?? true,
    garbageGraceMs: file.garbage?.grace ?? HOUR,
    garbageEveryMs: file.garbage?.every ?? 10 * MINUTE,
    checkEveryMs: file.check?.every ?? 7 * 24 * HOUR,
    checkBytesPerSecond: file.check?.rate ?? 8 << 20,
    uploadExpiryMs: purging?.enabled === false ? Number.MAX_SAFE_INTEGER : (purging?.age ?? 24 * HOUR),
    maxManifestBytes: file.limits?.manifest ?? 4 << 20,
    maxBlobBytes: file.limits?.blob ?? 64 * 1024 ** 3,
    logLevel: oneOf(given('log-level'), LEVELS) ?? file.log?.level ?? file.loglevel ?? 'info',
    logFormat:
      oneOf(given('log-format'), FORMATS) ??
      (file.log?.formatter === 'text' ? 'text' : file.log?.formatter ? 'json' : 'text'),
    isAccessLogOn: !(file.log?.accesslog?.disabled ?? false),
    headers: flatHeaders(file.http?.headers, 'http.headers'),
    prefix: (file.http?.prefix ?? '').replace(/\/+$/, ''),
    ...defined({ trustedProxies: file.http?.trustedproxies, externalUrl: externalUrlOf(from) }),
  };
}

/** `HOST:PORT`; without a host ('') every address, of IPv4 and IPv6, as Go has it. @throws CONFIG_INVALID */
function parseAddress({ text, name }: Setting): { readonly host: string; readonly port: number } {
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
  // What is older than 1.2 is broken (RFC 8996), whatever the file allows.
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
  // Docker's daemon shows credentials only where /v2/ asks for them. With Basic alone, who has none could then not pull:
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

/** An origin goes by its host, and Docker Hub's registry by another name. @source containerd, docs/hosts.md */
function namespacesOf({ host }: URL): readonly string[] {
  return host === 'registry-1.docker.io' ? ['docker.io', host] : [host];
}

function flatHeaders(
  headers: Readonly<Record<string, string | string[]>> | undefined,
  key: string,
): Record<string, string> {
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name, [value].flat().join(', ')] as const);
  for (const [name, value] of entries) {
    if (!/^[A-Za-z0-9-]+$/.test(name) || /[\r\n\0]/.test(value))
      throw invalid(`${key}: the header ${JSON.stringify(name)} is malformed`);
  }
  return Object.fromEntries(entries);
}

function secretOf(
  { sourceOf }: From,
  secret: string | { readonly file: string } | undefined,
  key: string,
): string | undefined {
  if (secret === undefined || typeof secret === 'string') return secret;
  try {
    return readFileSync(secret.file, 'utf8').trimEnd();
  } catch (cause) {
    throw invalid(`${sourceOf(key)}: cannot read the secret: ${messageOf(cause)}`);
  }
}

/** Where values come from. */
interface From {
  readonly given: Settings;
  readonly file: ConfigFile;
  readonly sourceOf: (key: string) => string;
}

/** A flag's or variable's text, or the file's. */
function textOf({ given, sourceOf }: From, flag: string, inFile: string | undefined, key: string): Setting | undefined {
  return given(flag) ?? (inFile === undefined ? undefined : { text: inFile, name: sourceOf(key) });
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const FORMATS = ['text', 'json'] as const;
const ANONYMOUS = ['none', 'pull', 'push'] as const;

/** @throws CONFIG_INVALID for anything but one of `words` */
function oneOf<T extends string>(setting: Setting | undefined, words: readonly T[]): T | undefined {
  if (setting === undefined) return undefined;
  const found = words.find((word) => word === setting.text);
  if (found !== undefined) return found;
  throw invalid(`${setting.name}: ${JSON.stringify(setting.text)} is none of ${words.join(', ')}`);
}

/** What Go takes for a truth. @throws CONFIG_INVALID for anything else @source strconv.ParseBool */
function boolOf(setting: Setting | undefined): boolean | undefined {
  if (setting === undefined) return undefined;
  if (/^(?:1|t|T|true|TRUE|True)$/.test(setting.text)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(setting.text)) return false;
  throw invalid(`${setting.name}: ${JSON.stringify(setting.text)} is neither true nor false`);
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
