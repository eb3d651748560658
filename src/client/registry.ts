// Owns requests to a Gantry registry's administration and search API: as whom, by password or by token. Knows no engine and no output.

import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { exchange, type RegistryAnswer, RegistryRequestError, type RegistryTls } from './registry-http.ts';

export { isNoTls, isNotVerified, RegistryRequestError, type RegistryTls } from './registry-http.ts';

/** How a registry is reached, and as whom. */
export interface RegistryTarget {
  /** `http(s)://host[:port]`. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** What `login` keeps instead of a password where the registry issues tokens. */
  readonly identityToken?: string | undefined;
  readonly tls?: RegistryTls | undefined;
}

/** A client of one registry. */
export interface RegistryApi {
  /** `path` under `/v2/_gantry/`, or from the root with a slash. @throws RegistryRequestError */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Everything of a paged list: its rows are member `key`, `last` leads to the next page. @throws RegistryRequestError */
  all<T>(path: string, key: string, query?: Readonly<Record<string, string>>): Promise<T[]>;
  /** The lines of an answer as they come, each a JSON value. @throws RegistryRequestError */
  lines<T>(method: string, path: string): AsyncGenerator<T>;
}

const ROWS_MAX = 100_000;
const PAGE = 500;
const BODY_MAX_CHARS = 256 << 20;

/** Makes a client; nothing is sent yet. */
export function createRegistryApi(target: RegistryTarget): RegistryApi {
  const sender = new Sender(target);
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const text = await textOf((await sender.send(method, path, body)).body);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  const all = async <T>(path: string, key: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> => {
    const rows: T[] = [];
    for (let last: string | undefined; rows.length < ROWS_MAX; ) {
      const parameters = new URLSearchParams({ n: String(PAGE), ...query, ...(last === undefined ? {} : { last }) });
      const page = await call<Record<string, unknown>>('GET', `${path}?${parameters}`);
      rows.push(...(page[key] as T[]));
      if (page.last === undefined) break;
      last = String(page.last);
    }
    return rows;
  };
  async function* lines<T>(method: string, path: string): AsyncGenerator<T> {
    const { body } = await sender.send(method, path, undefined);
    try {
      for await (const line of createInterface({ input: body })) if (line !== '') yield JSON.parse(line) as T;
    } finally {
      body.destroy();
    }
  }
  return { call, all, lines };
}

/** Sends as whoever the target says, and asks for a token where the registry wants one. */
class Sender {
  readonly #target: RegistryTarget;
  /** The header that worked last. */
  #authorization: string | undefined;

  constructor(target: RegistryTarget) {
    this.#target = target;
    const { username, password, identityToken } = target;
    if (username && password && !identityToken) this.#authorization = basic(username, password);
  }

  async send(method: string, path: string, value: unknown): Promise<RegistryAnswer> {
    const url = new URL(path.startsWith('/') ? path : `/v2/_gantry/${path}`, this.#target.url);
    const body = value === undefined ? undefined : JSON.stringify(value);
    let answer = await this.#once(method, url, body);
    const challenge = answer.status === 401 ? bearerIn(answer.headers['www-authenticate']) : undefined;
    if (challenge) {
      const refused = await errorOf(answer);
      const token = await this.#token(challenge);
      if (token === undefined) throw refused;
      this.#authorization = `Bearer ${token}`;
      answer = await this.#once(method, url, body);
    }
    if (answer.status >= 300) throw await errorOf(answer);
    return answer;
  }

  #once(method: string, url: URL, body: string | undefined): Promise<RegistryAnswer> {
    const shown = this.#authorization === undefined ? {} : { Authorization: this.#authorization };
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
    return exchange({ method, url, headers: { ...shown, ...length }, body, tls: this.#target.tls ?? {} });
  }

  /** A token for what was asked; undefined for who has nothing to show. @source distribution/docs/spec/auth/token.md, oauth.md */
  async #token({ realm, service, scope }: Challenge): Promise<string | undefined> {
    const { url, username, password, identityToken, tls = {} } = this.#target;
    const where = new URL(realm, url);
    if (where.protocol === 'http:' && url.startsWith('https:'))
      throw new RegistryRequestError(0, `refusing to send credentials to ${where.origin} without TLS`);
    const asked = { service, ...(scope === '' ? {} : { scope }) };
    let answer: RegistryAnswer;
    if (identityToken) {
      const form = { grant_type: 'refresh_token', refresh_token: identityToken, client_id: 'gantry', ...asked };
      const body = new URLSearchParams(form).toString();
      const headers = {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Content-Length': String(Buffer.byteLength(body)),
      };
      answer = await exchange({ method: 'POST', url: where, headers, body, tls });
    } else {
      if (!username || !password) return undefined;
      for (const [key, word] of Object.entries(asked)) where.searchParams.set(key, word);
      answer = await exchange({
        method: 'GET',
        url: where,
        headers: { Authorization: basic(username, password) },
        tls,
      });
    }
    if (answer.status >= 300) throw await errorOf(answer);
    const { token, access_token } = JSON.parse(await textOf(answer.body)) as { token?: string; access_token?: string };
    return token ?? access_token;
  }
}

interface Challenge {
  readonly realm: string;
  readonly service: string;
  readonly scope: string;
}

function bearerIn(header: string | undefined): Challenge | undefined {
  if (header === undefined || !/^bearer /i.test(header)) return undefined;
  const part = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(header)?.[1] ?? '';
  return { realm: part('realm'), service: part('service'), scope: part('scope') };
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function textOf(body: IncomingMessage): Promise<string> {
  let text = '';
  body.setEncoding('utf8');
  for await (const piece of body) {
    text += piece as string;
    if (text.length > BODY_MAX_CHARS) throw new RegistryRequestError(0, 'the answer of the registry is too long');
  }
  return text;
}

async function errorOf(answer: RegistryAnswer): Promise<RegistryRequestError> {
  const text = await textOf(answer.body);
  try {
    const [first] = (JSON.parse(text) as { errors: { code: string; message: string }[] }).errors;
    if (first)
      return new RegistryRequestError(
        answer.status,
        `${first.code.toLowerCase().replaceAll('_', ' ')}: ${first.message}`,
      );
  } catch {
    // No body of a registry's: the status has to do.
  }
  return new RegistryRequestError(answer.status, `the registry answered ${answer.status} ${answer.statusText}`);
}
