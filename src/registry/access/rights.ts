// Owns the grants that follow from the configured rules. Pure.

import type { AccessConfig, RightsRule } from '../config/types.ts';
import { fitsAny } from '../glob.ts';
import type { Action, Actor } from '../types.ts';
import type { Grant } from './types.ts';

const EVERY_ACTION: readonly Action[] = ['pull', 'push', 'delete'];

/** True when users can log in. */
export function hasAccounts({ htpasswdFile, token }: Pick<AccessConfig, 'htpasswdFile' | 'token'>): boolean {
  return htpasswdFile !== undefined || token !== undefined;
}

/**
 * The anonymous grant. Anonymous clients that may push may also delete. Without accounts they may administer as well, as in a
 * docker-registry without accounts.
 */
export function anonymousGrant(config: AccessConfig): Grant {
  const { anonymous, rights } = config;
  const actor: Actor = { name: '', kind: 'anonymous' };
  const isOpen = anonymous === 'push';
  return standing({
    actor,
    isAdmin: isOpen && !hasAccounts(config),
    mayList: isStrangerWelcome({ anonymous, rights }),
    may: (action, repository) =>
      isOpen || (anonymous === 'pull' && action === 'pull') || ruled(rights, 'anonymous', action, repository),
  });
}

/** True when anonymous clients may do anything. */
export function isStrangerWelcome({ anonymous, rights }: Pick<AccessConfig, 'anonymous' | 'rights'>): boolean {
  return anonymous !== 'none' || rights.some(({ subjects }) => subjects.includes('anonymous'));
}

/** A grant that no token limits. */
function standing(grant: Omit<Grant, 'could'>): Grant {
  return { ...grant, could: grant.may };
}

/** The grant of a user: everything without rules, else the sum of the rules. Administrators are configured by name. */
export function userGrant(config: AccessConfig, name: string): Grant {
  const isAdmin = config.admins.includes(name);
  return standing({
    actor: { name, kind: 'user' },
    isAdmin,
    mayList: true,
    may: (action, repository) =>
      isAdmin ||
      config.rights.length === 0 ||
      ruled(config.rights, name, action, repository) ||
      (config.anonymous !== 'none' && action === 'pull'),
  });
}

/** The grant of a robot: exactly its own rights. */
export function robotGrant(name: string, repositories: readonly string[], actions: readonly Action[]): Grant {
  return standing({
    actor: { name, kind: 'robot' },
    isAdmin: false,
    mayList: true,
    may: (action, repository) => actions.includes(action) && fitsAny(repository, repositories),
  });
}

function ruled(rules: readonly RightsRule[], name: string, action: Action, repository: string): boolean {
  return rules.some(
    ({ subjects, actions, repositories }) =>
      (subjects.includes(name) || (name !== 'anonymous' && subjects.includes('*'))) &&
      actions.includes(action) &&
      fitsAny(repository, repositories),
  );
}

/** One entry of a token's `access` claim. @source distribution/docs/spec/auth/jwt.md */
export interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const SCOPES_MAX = 50;

/** Parses `repository:team/app:pull,push`. Ignores malformed scopes. @source distribution/docs/spec/auth/scope.md */
export function parseScopes(texts: readonly string[]): readonly Scope[] {
  return texts
    .flatMap((text) => text.split(' '))
    .slice(0, SCOPES_MAX)
    .flatMap((text) => {
      // The name of a repository may hold a host with a port: type is first, actions are last.
      const match = /^(repository|registry)(?:\([a-z]+\))?:([^\s"]{1,300}):([a-z*,]{1,100})$/.exec(text);
      return match ? [{ type: match[1] ?? '', name: match[2] ?? '', actions: (match[3] ?? '').split(',') }] : [];
    });
}

/** The part of `scopes` that `grant` covers. */
export function cutDown(scopes: readonly Scope[], grant: Grant): readonly Scope[] {
  return scopes.flatMap(({ type, name, actions }) => {
    if (type === 'registry') {
      const isAllowed = (name === 'catalog' && grant.mayList) || (name === 'admin' && grant.isAdmin);
      return isAllowed ? [{ type, name, actions: ['*'] }] : [];
    }
    const wanted = actions.includes('*') ? EVERY_ACTION : EVERY_ACTION.filter((action) => actions.includes(action));
    const allowed = wanted.filter((action) => grant.may(action, name));
    return allowed.length === 0 ? [] : [{ type, name, actions: allowed }];
  });
}

/**
 * The grant of a token, never more than its scopes. `own` is the bearer's grant without the token, when it is known. Administration needs
 * the scope `registry:admin:*` and `mayAdminister`, a property of the bearer.
 */
export function scopedGrant(
  actor: Actor,
  scopes: readonly Scope[],
  own: Grant | undefined,
  mayAdminister: boolean,
): Grant {
  const holds = (type: string, name: string, action: string): boolean =>
    scopes.some(
      (scope) =>
        scope.type === type && scope.name === name && (scope.actions.includes(action) || scope.actions.includes('*')),
    );
  const isAdmin = mayAdminister && holds('registry', 'admin', '*');
  const mayList = isAdmin || holds('registry', 'catalog', '*');
  const may: Grant['may'] = (action, repository) => holds('repository', repository, action);
  const could: Grant['may'] = (action, repository) =>
    own ? own.may(action, repository) : may(action, repository) || (mayList && action === 'pull');
  return { actor, isAdmin, mayList, may, could };
}
