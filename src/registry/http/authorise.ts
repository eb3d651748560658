// Owns the judgement whether a sender may go on to a route's handler, and the challenge when not. Finds nobody out by itself.

import { GantryError } from '../../lib/errors.ts';
import type { Access, Grant } from '../access/types.ts';
import type { Action } from '../types.ts';
import type { Right, Route } from './types.ts';

/** A refusal, with the WWW-Authenticate header where trying again with other credentials may help. */
export interface Refusal {
  readonly error: GantryError;
  readonly challenge: string | undefined;
}

export interface Question {
  readonly access: Access;
  readonly grant: Grant;
  readonly route: Route;
  /** The repository that the route names, or ''. */
  readonly repository: string;
  readonly authorization: string | undefined;
  /** This server's URL as the client sees it. */
  readonly base: () => string;
}

/** Undefined when the sender may go on. */
export function refusalOf(question: Question): Refusal | undefined {
  const { access, grant, route, repository, authorization, base } = question;
  if (isAllowed(question)) return undefined;
  if (!access.hasAccounts) return { error: nobodyMay(), challenge: undefined };
  const isBearer = authorization !== undefined && /^bearer /i.test(authorization);
  const scope = scopeOf(route.right, repository);
  // An authenticated sender gets 403; others, and tokens of too narrow a scope, get a challenge.
  if (grant.actor.kind !== 'anonymous' && !isBearer) return { error: denied(), challenge: undefined };
  return { error: unauthorized(), challenge: access.challenge(scope, base(), { isInsufficient: isBearer }) };
}

/**
 * For somebody who has shown nothing and was denied by a handler (by a policy, say): with credentials it may be another matter. Clients
 * that hold some and send them only when asked are asked. Undefined for everybody else.
 */
export function invitationOf(
  question: Question,
  error: unknown,
): (Refusal & { readonly challenge: string }) | undefined {
  const { access, route, repository, authorization, base } = question;
  const isDenied = error instanceof GantryError && error.code === 'DENIED';
  if (!isDenied || authorization !== undefined || !access.hasAccounts) return undefined;
  const challenge = access.challenge(scopeOf(route.right, repository), base(), { isInsufficient: false });
  return { challenge, error: new GantryError('unauthorized', 'UNAUTHORIZED', error.message, { params: error.params }) };
}

function isAllowed({ access, grant, route, repository, authorization }: Question): boolean {
  switch (route.right) {
    case 'open':
      return true;
    case 'known':
      // Clients learn here how to log in, and do not try elsewhere: with accounts, nobody in particular is asked first.
      return grant.actor.kind !== 'anonymous' || !access.hasAccounts || authorization !== undefined;
    case 'admin':
      return grant.isAdmin;
    case 'catalog':
      return grant.isAdmin || grant.mayList;
    default:
      return grant.may(route.right, repository);
  }
}

/** @source distribution/docs/spec/auth/scope.md */
function scopeOf(right: Right, repository: string): string | undefined {
  if (right === 'catalog' || right === 'admin') return `registry:${right}:*`;
  const actions: Partial<Record<Right, Action | 'pull,push'>> = { pull: 'pull', push: 'pull,push', delete: 'delete' };
  const wanted = actions[right];
  return wanted === undefined || repository === '' ? undefined : `repository:${repository}:${wanted}`;
}

function unauthorized(): GantryError {
  return new GantryError('unauthorized', 'UNAUTHORIZED', 'authentication required');
}

/** There is nobody to log in as: asking for credentials would lead nowhere. */
function nobodyMay(): GantryError {
  return new GantryError('forbidden', 'DENIED', 'requested access to the resource is denied', {
    hint: 'this registry has no accounts, and its configuration (access.anonymous) lets nobody in particular do this',
  });
}

function denied(): GantryError {
  return new GantryError('forbidden', 'DENIED', 'requested access to the resource is denied');
}
