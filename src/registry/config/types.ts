// Owns the shape of the registry's configuration, whatever it was read from (flags, environment, YAML). No reading.

import type { Action } from '../types.ts';

/** Where bytes lie. */
export type StorageConfig =
  | { readonly kind: 'filesystem' }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly region: string;
      /** For stores other than Amazon's, e.g. `http://127.0.0.1:9000`. */
      readonly endpoint?: string | undefined;
      readonly accessKeyId?: string | undefined;
      readonly secretAccessKey?: string | undefined;
      /** Key prefix inside the bucket, '' or ending in `/`. */
      readonly prefix: string;
      readonly forcePathStyle: boolean;
    };

/** A rule of who may do what; the rules that match an actor add up. */
export interface RightsRule {
  /** Repository glob; `*` stops at slashes, `**` does not. */
  readonly repositories: readonly string[];
  /** User and robot names; `*` is everybody who is known, `anonymous` nobody in particular. */
  readonly subjects: readonly string[];
  readonly actions: readonly Action[];
}

export interface TokenConfig {
  /** `own`: this registry issues tokens at /v2/_gantry/token. `external`: another service does, checked by public key. */
  readonly kind: 'own' | 'external';
  /** For `external`: the realm URL that clients are sent to. */
  readonly realm?: string | undefined;
  readonly service: string;
  readonly issuer: string;
  /** For `external`: PEM file of certificates or public keys, or a JWKS file. */
  readonly keyFile?: string | undefined;
  readonly lifetimeSeconds: number;
}

export interface AccessConfig {
  /** What nobody in particular may do. */
  readonly anonymous: 'none' | 'pull' | 'push';
  readonly htpasswdFile?: string | undefined;
  readonly realm: string;
  readonly token?: TokenConfig | undefined;
  /** Empty: every known user may pull, push and delete everywhere. */
  readonly rights: readonly RightsRule[];
  /** Users with the administration right; empty: nobody. */
  readonly admins: readonly string[];
}

export interface TlsConfig {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Client certificates must be signed by these. */
  readonly clientCaFiles: readonly string[];
  /** Older versions are not spoken. */
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** What a retention rule keeps; what no part of any matching rule keeps may go. */
export interface RetentionRule {
  readonly repositories: readonly string[];
  /** Tag globs that the rule speaks of. */
  readonly tags: readonly string[];
  readonly keepNewest?: number | undefined;
  readonly keepNewerThanMs?: number | undefined;
  readonly keepMatching: readonly string[];
  /** Manifests without tag go when they are older than this. */
  readonly untaggedOlderThanMs?: number | undefined;
}

export interface PolicyRule {
  readonly repositories: readonly string[];
  /** PEM files of public keys; a signature by any of them counts. */
  readonly keyFiles: readonly string[];
  /** Refuse to set a tag on a manifest without a valid signature. */
  readonly acceptOnlySigned: boolean;
  /** Refuse to serve manifests without a valid signature to those who may not push. */
  readonly serveOnlySigned: boolean;
  /** Refuse to serve manifests whose newest report has a finding of this severity or worse. */
  readonly refuseSeverity?: 'low' | 'medium' | 'high' | 'critical' | undefined;
  /** Refuse to serve manifests that no report speaks of (with refuseSeverity). */
  readonly refuseUnscanned: boolean;
}

export interface ScannerConfig {
  /** Program and arguments; `{image}`, `{repository}`, `{digest}`, `{layout}` are put in. No shell. */
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly repositories: readonly string[];
  /** What its output is. */
  readonly format: 'trivy' | 'grype';
}

export interface WebhookConfig {
  readonly name: string;
  readonly url: string;
  readonly format: 'distribution' | 'cloudevents';
  readonly headers: Readonly<Record<string, string>>;
  /** Signs bodies: HMAC-SHA256 in `X-Gantry-Signature: sha256=…`. */
  readonly secret?: string | undefined;
  /** Event actions; empty is all. */
  readonly actions: readonly string[];
  readonly repositories: readonly string[];
  readonly timeoutMs: number;
  /** Tries before an event becomes a dead letter. */
  readonly maxAttempts: number;
  /** First pause between tries; doubles each time, up to an hour. */
  readonly backoffMs: number;
}

export interface ProxyConfig {
  /** Local repository prefix that is served from the origin, '' for all. */
  readonly prefix: string;
  /** Origin's URL, e.g. `https://registry-1.docker.io`. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** How long a tag is believed without asking again. */
  readonly freshMs: number;
  /** What nobody asked for in so long is let go; 0: nothing is. */
  readonly expiryMs: number;
  readonly isInsecure: boolean;
  /**
   * When a copy is served that the origin did not confirm: `down`: while it cannot be asked; `always`: also when it says that a tag is gone
   * or forbids it; `never`.
   */
  readonly stale: 'never' | 'down' | 'always';
  /** Names by which containerd asks for the origin (`?ns=docker.io`). */
  readonly namespaces: readonly string[];
}

export interface ReplicationConfig {
  readonly name: string;
  /** Target's URL. */
  readonly url: string;
  readonly repositories: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly isInsecure: boolean;
  /** Put before repository names at the target, '' or ending in `/`. */
  readonly prefix: string;
}

/** Everything that `serve` needs. */
export interface RegistryConfig {
  readonly root: string;
  /** '' is every address of this machine, by IPv4 and IPv6. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: TlsConfig | undefined;
  readonly storage: StorageConfig;
  readonly access: AccessConfig;
  /** Tags that never move, as `repository:tag` globs. */
  readonly immutableTags: readonly string[];
  readonly retention: readonly RetentionRule[];
  /** How often retention runs; 0: only when asked. */
  readonly retentionEveryMs: number;
  readonly policies: readonly PolicyRule[];
  readonly scanners: readonly ScannerConfig[];
  readonly webhooks: readonly WebhookConfig[];
  readonly proxies: readonly ProxyConfig[];
  readonly replications: readonly ReplicationConfig[];
  readonly isReadOnly: boolean;
  /** False: deletes are refused, as docker-registry does by default. */
  readonly isDeleteOn: boolean;
  /** Blobs that were pushed or asked for by a pusher are spared so long without a manifest that needs them. */
  readonly garbageGraceMs: number;
  /** How often garbage is collected besides after deletes. */
  readonly garbageEveryMs: number;
  /** How often all content is read and checked in the background; 0: never. */
  readonly checkEveryMs: number;
  /** How fast it is read then. */
  readonly checkBytesPerSecond: number;
  /** Uploads that got no bytes for so long are forgotten. */
  readonly uploadExpiryMs: number;
  readonly maxManifestBytes: number;
  readonly maxBlobBytes: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'text' | 'json';
  readonly isAccessLogOn: boolean;
  /** Headers added to every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Networks whose X-Forwarded-* are believed (CIDR); undefined: loopback and private ones. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** What every path begins with, '' or `/path`. */
  readonly prefix: string;
  /** The URL that clients use, for Location headers and token realms, when requests do not tell, e.g. behind a proxy. */
  readonly externalUrl?: string | undefined;
}
