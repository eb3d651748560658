// The face of access control: opens it over a configuration and the records.

import { GantryError } from '../../lib/errors.ts';
import type { Database } from '../../store/database.ts';
import type { AccessConfig } from '../config/types.ts';
import type { Route } from '../http/types.ts';
import type { Actor, Log } from '../types.ts';
import { LoginThrottle } from './guessing.ts';
import { Passwords } from './passwords.ts';
import { anonymousGrant, hasAccounts, isStrangerWelcome, robotGrant, userGrant } from './rights.ts';
import { actorNamed, ROBOT_MIGRATIONS, ROBOT_PREFIX, Robots } from './robots.ts';
import { type Checks, TOKEN_PATH, tokenRoutes } from './token-route.ts';
import { Tokens } from './tokens.ts';
import type { Access, Grant } from './types.ts';

export { htpasswdLine } from './passwords.ts';
export { hasAccounts, isStrangerWelcome } from './rights.ts';

const HEADER_MAX_CHARS = 20 * 1024;

/** Users and robots, for those who administer them. */
export interface Accounts {
  users(): readonly string[];
  /** @throws NO_HTPASSWD, USER_INVALID */
  setUser(name: string, password: string): Promise<void>;
  /** @throws NO_HTPASSWD, USER_UNKNOWN */
  removeUser(name: string): void;
  readonly robots: Pick<Robots, 'list' | 'create' | 'remove'>;
}

export interface OpenAccess extends Access {
  readonly routes: readonly Route[];
  readonly accounts: Accounts;
}

export interface AccessOptions {
  readonly config: AccessConfig;
  readonly database: Database;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** Opens access control. */
export function openAccess({ config, database, log, now = Date.now }: AccessOptions): OpenAccess {
  database.migrate(ROBOT_MIGRATIONS);
  const anonymous = anonymousGrant(config);
  const passwords = new Passwords(config.htpasswdFile, log, now);
  const robots = new Robots(database, now);
  const guessing = new LoginThrottle(now);
  const grantOf = ({ kind, name }: Actor): Grant => {
    if (kind === 'anonymous') return anonymous;
    if (kind !== 'robot') return userGrant(config, name);
    const robot = robots.find(name);
    return robotGrant(name, robot?.repositories ?? [], robot?.actions ?? []);
  };
  const tokens = config.token && new Tokens(config.token, database, now, grantOf);
  const byPassword: Checks['password'] = async (user, password, address) => {
    const grant = user.startsWith(ROBOT_PREFIX) ? robotFor(user, password) : await userFor(user, password, address);
    if (!grant) throw unauthorized();
    return grant;
  };
  /** Nobody guesses the secret of a robot. */
  const robotFor = (name: string, secret: string): Grant | undefined => {
    const robot = robots.verify(name, secret);
    return robot && robotGrant(robot.name, robot.repositories, robot.actions);
  };
  const userFor = async (user: string, password: string, address: string): Promise<Grant | undefined> => {
    const known = passwords.recall(user, password);
    if (known === 'wrong') return undefined;
    await guessing.turn(user, address, known === 'right');
    const isRight = await passwords.verify(user, password);
    if (isRight) guessing.succeeded(user, address);
    else guessing.failed(user, address);
    return isRight ? userGrant(config, user) : undefined;
  };
  const version = (name: string): string | undefined =>
    name.startsWith(ROBOT_PREFIX) ? robots.find(name)?.version : passwords.version(name);
  const checks: Checks = {
    password: byPassword,
    version,
    async basic(authorization, address) {
      if (authorization !== undefined) return byPassword(...parseBasic(authorization), address);
      if (!isStrangerWelcome(config)) throw unauthorized();
      return anonymous;
    },
    refresh(secret) {
      const found = tokens?.refresh(secret);
      if (!found || version(found.name) !== found.version) throw unauthorized();
      return grantOf(actorNamed(found.name));
    },
  };
  const robotIn = (authorization: string): Grant | undefined => {
    const [user = '', secret = ''] = readBasic(authorization) ?? [];
    return user.startsWith(ROBOT_PREFIX) ? robotFor(user, secret) : undefined;
  };
  const isOpen = !hasAccounts(config);
  return {
    hasAccounts: !isOpen,
    routes: tokens?.config.kind === 'own' ? tokenRoutes(tokens, checks) : [],
    accounts: {
      users: () => passwords.list(),
      setUser: async (name, password) => {
        await passwords.set(name, password);
        tokens?.revoke(name);
      },
      removeUser: (name) => {
        passwords.remove(name);
        tokens?.revoke(name);
      },
      robots,
    },
    async authenticate({ authorization, remoteAddress }) {
      if (authorization === undefined) return anonymous;
      // Clients that logged in somewhere send what they have to everybody: where there is nobody to be, it does not matter who one says one is.
      if (isOpen) return robotIn(authorization) ?? anonymous;
      if (/^bearer /i.test(authorization)) {
        if (!tokens) throw unauthorized();
        return tokens.verify(authorization.slice('bearer '.length).trim());
      }
      return byPassword(...parseBasic(authorization), remoteAddress);
    },
    challenge: (scope, base, { isInsufficient }) => challenge(config, scope, base, isInsufficient),
    async [Symbol.asyncDispose]() {},
  };
}

/** @throws UNAUTHORIZED */
function parseBasic(authorization: string): readonly [user: string, password: string] {
  const found = readBasic(authorization);
  if (!found) throw unauthorized();
  return found;
}

/** User and password of a Basic header; undefined for anything else. */
function readBasic(authorization: string): readonly [user: string, password: string] | undefined {
  const match = /^basic\s+([A-Za-z0-9+/=_-]+)\s*$/i.exec(authorization.slice(0, HEADER_MAX_CHARS));
  const text = Buffer.from(match?.[1] ?? '', 'base64').toString();
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : [text.slice(0, colon), text.slice(colon + 1)];
}

function challenge(config: AccessConfig, scope: string | undefined, base: string, isInsufficient: boolean): string {
  const { token } = config;
  if (!token) return `Basic realm=${quoted(config.realm)}`;
  const realm = token.kind === 'own' ? `${base}${TOKEN_PATH}` : (token.realm ?? '');
  const parts = [`realm=${quoted(realm)}`, `service=${quoted(token.service)}`];
  if (scope !== undefined) parts.push(`scope=${quoted(scope)}`);
  if (isInsufficient) parts.push(`error=${quoted(scope === undefined ? 'invalid_token' : 'insufficient_scope')}`);
  return `Bearer ${parts.join(',')}`;
}

/** A quoted string of a header; what would leave it is dropped. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]|["\\]/g, '')}"`;
}

function unauthorized(): GantryError {
  return new GantryError('unauthorized', 'UNAUTHORIZED', 'authentication required');
}
