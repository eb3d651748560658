// The face of access control: opens it over a configuration and the records.

import type { Database } from '../../store/database.ts';
import type { AccessConfig } from '../config/types.ts';
import type { Route } from '../http/types.ts';
import type { Log } from '../types.ts';
import { parseBasic, unauthorized } from './basic.ts';
import { challenge } from './challenge.ts';
import { Grants, Logins } from './logins.ts';
import { Passwords } from './passwords.ts';
import { hasAccounts } from './rights.ts';
import { ROBOT_MIGRATIONS, Robots } from './robots.ts';
import { tokenRoutes } from './token-route.ts';
import { Tokens } from './tokens.ts';
import type { Access } from './types.ts';

export { htpasswdLine } from './passwords.ts';
export { hasAccounts, isStrangerWelcome } from './rights.ts';

/** Users and robots, for administrators. */
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
  const passwords = new Passwords(config.htpasswdFile, log, now);
  const robots = new Robots(database, now);
  const grants = new Grants(config, robots);
  const tokens = config.token && new Tokens(config.token, database, now, (actor) => grants.of(actor));
  const logins = new Logins({ config, passwords, robots, grants, tokens, now });
  const isOpen = !hasAccounts(config);
  return {
    hasAccounts: !isOpen,
    routes: tokens?.config.kind === 'own' ? tokenRoutes(tokens, logins) : [],
    accounts: accountsOf(passwords, robots, tokens),
    async authenticate({ authorization, remoteAddress }) {
      if (authorization === undefined) return grants.anonymous;
      // Many clients send the credentials of another registry. Without accounts they are ignored, except those of robots.
      if (isOpen) return logins.robotIn(authorization) ?? grants.anonymous;
      if (/^bearer /i.test(authorization)) {
        if (!tokens) throw unauthorized();
        return tokens.verify(authorization.slice('bearer '.length).trim());
      }
      return logins.password(...parseBasic(authorization), remoteAddress);
    },
    challenge: (scope, base, { isInsufficient }) => challenge(config, scope, base, isInsufficient),
    async [Symbol.asyncDispose]() {},
  };
}

/** A new password, and the removal of a user, revoke the user's refresh tokens. */
function accountsOf(passwords: Passwords, robots: Robots, tokens: Tokens | undefined): Accounts {
  return {
    users: () => passwords.list(),
    async setUser(name, password) {
      await passwords.set(name, password);
      tokens?.revoke(name);
    },
    removeUser(name) {
      passwords.remove(name);
      tokens?.revoke(name);
    },
    robots,
  };
}
