// Owns the face of access control: authentication and grants. Knows no HTTP beyond the Authorization header.

import type { Action, Actor } from '../types.ts';

/** The credentials of a request. */
interface Credentials {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly remoteAddress: string;
}

/** The rights of one sender. */
export interface Grant {
  readonly actor: Actor;
  /** True for the administration API and everything else. */
  readonly isAdmin: boolean;
  /** May list repositories: any user, anonymous clients with any right, and tokens with the scope `registry:catalog:*`. */
  readonly mayList: boolean;
  may(action: Action, repository: string): boolean;
  /**
   * As `may`, without the limits of the sender's token: a client that is about to push first requests a token that can only pull.
   * It grants no access. It decides what lists show, and who is exempt from a policy. With tokens of another service, which alone knows
   * its users, the token decides: one with the catalog scope sees everything.
   */
  could(action: Action, repository: string): boolean;
}

/** Access control. */
export interface Access extends AsyncDisposable {
  /** True when users can log in. Then `/v2/` asks for credentials, even if anonymous clients may do something. */
  readonly hasAccounts: boolean;
  /**
   * Authenticates a sender. Without credentials: the anonymous grant.
   * @throws UNAUTHORIZED (unauthorized) for wrong, expired or malformed credentials; TOOMANYREQUESTS (unavailable) after too many failures
   */
  authenticate(credentials: Credentials): Promise<Grant>;
  /**
   * The WWW-Authenticate header for a request that lacked rights. `scope` is as in Docker's token specification,
   * `repository:NAME:pull,push` or `registry:catalog:*`; undefined for `/v2/`. `base` is this server's URL as the client sees it.
   * `token` says that the refused request carried a bearer token that lacked the scope.
   */
  challenge(scope: string | undefined, base: string, token: { readonly isInsufficient: boolean }): string;
}
