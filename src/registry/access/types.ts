// Owns the face of access control: who asks, and what they may do. Knows no HTTP beyond the Authorization header.

import type { Action, Actor } from '../types.ts';

/** What a request shows of its sender. */
interface Credentials {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly remoteAddress: string;
}

/** What one sender may do. */
export interface Grant {
  readonly actor: Actor;
  /** True for the administration API and everything else. */
  readonly isAdmin: boolean;
  /** True for the lists of repositories: any user, strangers who may do something; of tokens, scope `registry:catalog:*`. */
  readonly mayList: boolean;
  may(action: Action, repository: string): boolean;
  /**
   * As `may`, of who the sender is, whatever their token was narrowed to: a client that is about to push asks for a token to pull
   * first. Opens nothing by itself; decides what lists show, and who is spared a policy. Where tokens come from another service,
   * which alone knows its users, the token decides: one for the list sees all.
   */
  could(action: Action, repository: string): boolean;
}

/** Who may do what. */
export interface Access extends AsyncDisposable {
  /** True when there is anybody to log in as: then `/v2/` asks who comes, also where nobody in particular may do something. */
  readonly hasAccounts: boolean;
  /**
   * Finds out who asks. No credentials: the anonymous grant.
   * @throws UNAUTHORIZED (unauthorized) for wrong, expired or malformed credentials; TOOMANYREQUESTS (unavailable) when guessing
   */
  authenticate(credentials: Credentials): Promise<Grant>;
  /**
   * The WWW-Authenticate header for a request that needs more than it had. `scope` as in Docker's token specification,
   * `repository:NAME:pull,push` or `registry:catalog:*`; undefined for `/v2/`. `base` is this server's URL as the client sees it.
   * `token` says that the refused request carried a bearer token that lacked the scope.
   */
  challenge(scope: string | undefined, base: string, token: { readonly isInsufficient: boolean }): string;
}
