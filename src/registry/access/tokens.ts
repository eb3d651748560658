// Owns bearer tokens: issuing our own, and verifying ours or another service's by public key. Knows no passwords.
// @source distribution/docs/spec/auth/jwt.md; RFC 7519

import { createPublicKey, type KeyObject, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CryptoKey, JWTPayload, JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { GantryError, messageOf } from '../../lib/errors.ts';
import { isRecord } from '../../spec/oci/manifest.ts';
import type { Database } from '../../store/database.ts';
import type { TokenConfig } from '../config/types.ts';
import type { Actor } from '../types.ts';
import { type Scope, scopedGrant } from './rights.ts';
import { actorNamed, hashSecret } from './robots.ts';
import type { Grant } from './types.ts';

const LEEWAY_SECONDS = 60;
const TOKEN_MAX_CHARS = 16 * 1024;
const KNOWN_MAX = 2000;
const REFRESH_DAYS = 30;
const DAY_MS = 86_400_000;
const OWN_ALGORITHM = 'ES256';
/** Neither `none` nor HMAC: a forger could use a public key as an HMAC secret. */
const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];
const KEY_FILE_MAX_BYTES = 1 << 20;

/** The token service of one registry. */
export class Tokens {
  readonly config: TokenConfig;
  readonly #db: Database;
  readonly #now: () => number;
  readonly #grantOf: (actor: Actor) => Grant;
  readonly #known: LRUCache<string, { readonly grant: Grant; readonly untilMs: number }>;
  #keys: Promise<Keys> | undefined;

  /** `grantOf` returns the grant of an actor without a token. */
  constructor(config: TokenConfig, db: Database, now: () => number, grantOf: (actor: Actor) => Grant) {
    this.config = config;
    this.#grantOf = grantOf;
    this.#db = db;
    this.#now = now;
    this.#known = new LRUCache({ max: KNOWN_MAX });
  }

  /** The grant of a token. @throws UNAUTHORIZED */
  async verify(token: string): Promise<Grant> {
    const known = this.#known.get(token);
    if (known && known.untilMs > this.#now()) return known.grant;
    if (token.length > TOKEN_MAX_CHARS) throw invalidToken('it is too long');
    const { jwtVerify } = await import('jose');
    const { check } = await this.#loadKeys();
    const { issuer, service, kind } = this.config;
    const options = {
      issuer,
      audience: service,
      algorithms: kind === 'own' ? [OWN_ALGORITHM] : ALGORITHMS,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(this.#now()),
      requiredClaims: ['exp'],
    };
    const { payload } = await jwtVerify(token, check, options).catch((error: unknown) => {
      throw invalidToken(messageOf(error));
    });
    const grant = this.#bearer(payload);
    this.#known.set(token, { grant, untilMs: (payload.exp ?? 0) * 1000 });
    return grant;
  }

  /** A token of our own for `actor` with exactly these scopes. */
  async issue(
    actor: Actor,
    scopes: readonly Scope[],
  ): Promise<{ readonly token: string; readonly seconds: number; readonly issuedAt: string }> {
    const { SignJWT } = await import('jose');
    const { sign } = await this.#loadKeys();
    if (!sign)
      throw new GantryError('invalid', 'UNSUPPORTED', 'tokens come from another service', {
        params: { realm: this.config.realm },
      });
    const { issuer, service, lifetimeSeconds } = this.config;
    const seconds = Math.floor(this.#now() / 1000);
    const token = await new SignJWT({ access: scopes })
      .setProtectedHeader({ alg: OWN_ALGORITHM, typ: 'JWT', kid: sign.id })
      .setIssuer(issuer)
      .setAudience(service)
      .setSubject(actor.name)
      .setIssuedAt(seconds)
      .setNotBefore(seconds)
      .setExpirationTime(seconds + lifetimeSeconds)
      .setJti(randomUUID())
      .sign(sign.key);
    return { token, seconds: lifetimeSeconds, issuedAt: new Date(seconds * 1000).toISOString() };
  }

  /** A refresh token for `name`, valid as long as the password has this version. */
  issueRefresh(name: string, version: string): string {
    const secret = randomBytes(32).toString('base64url');
    this.#db.transaction(() => {
      this.#db.sql('DELETE FROM access_refresh_tokens WHERE expires_ms <= ?').run(this.#now());
      this.#db
        .sql('INSERT INTO access_refresh_tokens (hash, subject, version, expires_ms) VALUES (?, ?, ?, ?)')
        .run(hashSecret(secret), name, version, this.#now() + REFRESH_DAYS * DAY_MS);
    });
    return secret;
  }

  /** The owner of a refresh token, and the password version that it was issued for; undefined when it is unknown or expired. */
  refresh(secret: string): { readonly name: string; readonly version: string } | undefined {
    const row = this.#db
      .sql('SELECT subject, version FROM access_refresh_tokens WHERE hash = ? AND expires_ms > ?')
      .get(hashSecret(secret), this.#now());
    return row && { name: String(row.subject), version: String(row.version) };
  }

  /** Revokes every refresh token of `name`. */
  revoke(name: string): void {
    this.#db.sql('DELETE FROM access_refresh_tokens WHERE subject = ?').run(name);
  }

  #bearer(payload: JWTPayload): Grant {
    const entries = Array.isArray(payload.access) ? payload.access : [];
    const actor = actorNamed((payload.sub ?? '').slice(0, 255));
    const grant = this.#grantOf(actor);
    // Only the other service knows the rights of its users. Administrators are configured here.
    const own = this.config.kind === 'own' ? grant : undefined;
    return scopedGrant(actor, entries.filter(isScope), own, grant.isAdmin);
  }

  #loadKeys(): Promise<Keys> {
    this.#keys ??= this.config.kind === 'own' ? ownKeys(this.#db) : externalKeys(this.config.keyFile ?? '');
    return this.#keys;
  }
}

interface Keys {
  readonly check: JWTVerifyGetKey;
  readonly sign?: { readonly id: string; readonly key: CryptoKey };
}

/** Our key pair, made on first use and stored in the records, so that tokens stay valid across a restart. */
async function ownKeys(db: Database): Promise<Keys> {
  const { generateKeyPair, exportJWK, importJWK } = await import('jose');
  if (!db.sql('SELECT 1 FROM access_keys').get()) {
    const { privateKey } = await generateKeyPair(OWN_ALGORITHM, { extractable: true });
    const jwk = JSON.stringify(await exportJWK(privateKey));
    db.sql('INSERT INTO access_keys (id, jwk) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM access_keys)').run(
      randomUUID(),
      jwk,
    );
  }
  const row = db.sql('SELECT id, jwk FROM access_keys LIMIT 1').get();
  const jwk = JSON.parse(String(row?.jwk)) as Record<string, string>;
  const key = (await importJWK(jwk, OWN_ALGORITHM)) as CryptoKey;
  const { d: _, ...publicJwk } = jwk;
  const publicKey = (await importJWK(publicJwk, OWN_ALGORITHM)) as CryptoKey;
  return { check: async () => publicKey, sign: { id: String(row?.id), key } };
}

/** Keys of another service: a JWKS, or PEM certificates and public keys. Keys in a token's header are ignored. */
async function externalKeys(file: string): Promise<Keys> {
  const bytes = readFileSync(file);
  if (bytes.length > KEY_FILE_MAX_BYTES) throw new GantryError('invalid', 'CONFIG_INVALID', `${file} is too large`);
  const text = bytes.toString();
  if (text.trimStart().startsWith('{')) {
    const { createLocalJWKSet } = await import('jose');
    const set = createLocalJWKSet(JSON.parse(text) as Parameters<typeof createLocalJWKSet>[0]);
    return { check: set };
  }
  const keys = pemKeys(text);
  if (keys.length === 0)
    throw new GantryError('invalid', 'CONFIG_INVALID', `${file} holds no certificate and no public key`);
  return { check: (header, token) => chooseKey(keys, header.alg ?? '', token) };
}

function pemKeys(text: string): KeyObject[] {
  const blocks = text.match(/-----BEGIN (CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY)-----[\s\S]*?-----END \1-----/g) ?? [];
  return blocks.map((block) =>
    block.includes('CERTIFICATE') ? new X509Certificate(block).publicKey : createPublicKey(block),
  );
}

const KEY_TYPE: readonly (readonly [RegExp, string])[] = [
  [/^ES/, 'ec'],
  [/^[RP]S/, 'rsa'],
  [/^EdDSA$/, 'ed25519'],
];

/** The key of the file that verifies the token. Tries each key of the token's type. */
async function chooseKey(
  keys: readonly KeyObject[],
  alg: string,
  token: Parameters<JWTVerifyGetKey>[1],
): Promise<KeyObject> {
  const type = KEY_TYPE.find(([pattern]) => pattern.test(alg))?.[1];
  const fitting = keys.filter((key) => key.asymmetricKeyType === type);
  const [first, ...others] = fitting;
  if (!first) throw new Error('no key of the token service fits');
  if (others.length === 0) return first;
  const { flattenedVerify } = await import('jose');
  for (const key of fitting)
    if (
      await flattenedVerify(token, key).then(
        () => true,
        () => false,
      )
    )
      return key;
  return first;
}

function isScope(value: unknown): value is Scope {
  return (
    isRecord(value) &&
    typeof value.type === 'string' &&
    typeof value.name === 'string' &&
    Array.isArray(value.actions) &&
    value.actions.every((action) => typeof action === 'string')
  );
}

function invalidToken(why: string): GantryError {
  return new GantryError('unauthorized', 'UNAUTHORIZED', 'authentication required', {
    params: { reason: `invalid token: ${why}` },
  });
}
