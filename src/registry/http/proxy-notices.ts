// Owns telling an operator, once each, what a proxy in front leaves unclear: else logins fail at clients, and nobody here knows why.

import type { IncomingHttpHeaders } from 'node:http';
import type { Log } from '../types.ts';
import type { Sender } from './sender.ts';

/** Peers that are logged; a stranger cannot fill the log with them. */
const PEERS_MAX = 20;

/** Looks at requests that came by a proxy. */
export class ProxyNotices {
  readonly #log: Log;
  readonly #isUrlKnown: boolean;
  readonly #told = new Set<string>();

  /** `isUrlKnown`: the configuration names the URL that clients use, so that it does not matter what proxies say of it. */
  constructor(log: Log, isUrlKnown: boolean) {
    this.#log = log;
    this.#isUrlKnown = isUrlKnown;
  }

  see(sender: Sender, headers: IncomingHttpHeaders): void {
    const hasFor = headers['x-forwarded-for'] !== undefined;
    const hasScheme = headers['x-forwarded-proto'] !== undefined;
    if ((!hasFor && !hasScheme) || this.#told.size >= PEERS_MAX || this.#told.has(sender.peer)) return;
    const message = this.#messageOf(sender, hasScheme);
    if (message === undefined) return;
    this.#told.add(sender.peer);
    this.#log('warn', message);
  }

  #messageOf(sender: Sender, hasScheme: boolean): string | undefined {
    if (!sender.isByProxy)
      return `the X-Forwarded headers of ${sender.peer} are not believed; if it is your proxy, name it in http.trustedproxies`;
    if (hasScheme || this.#isUrlKnown) return undefined;
    return `the proxy at ${sender.peer} sends no X-Forwarded-Proto: clients are sent to ${sender.base}; if they use https, set that header, or http.host`;
  }
}
