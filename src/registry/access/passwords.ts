// Owns the htpasswd file: who is in it and whether a password is right. bcrypt alone; the file is read anew when it changes.

import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { GantryError, messageOf } from '../../lib/errors.ts';
import type { Log } from '../types.ts';
import { changeFile, inBytes, withoutUser, withUser } from './htpasswd-file.ts';

const FILE_MAX_BYTES = 16 << 20;
const LOOK_EVERY_MS = 1000;
/** A pull of a hundred layers is one bcrypt, not a hundred. */
const KEPT_MS = 60_000;
const KEPT_MAX = 2000;
/** A stale client sends the same wrong password for months. */
const WRONG_KEPT_MS = 15 * 60_000;
const WRONG_MAX = 20_000;
const COST = 10;
/** bcrypt takes a core for 50 ms and more. */
const AT_ONCE = 2;
const WAITING_MAX = 200;
const HASH = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
/** Of no password: whoever is not in the file costs the same time. */
const NOBODY = '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';
const USER = /^[^:\s\p{Cc}]{1,255}$/u;

/** The users of one htpasswd file. */
export class Passwords {
  readonly #path: string | undefined;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  readonly #right: LRUCache<string, true>;
  readonly #wrong: LRUCache<string, true>;
  #users = new Map<string, string>();
  #stamp = '';
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(path: string | undefined, log: Log, now: () => number) {
    this.#path = path;
    this.#log = log;
    this.#now = now;
    this.#right = new LRUCache({ max: KEPT_MAX, ttl: KEPT_MS, perf: { now } });
    this.#wrong = new LRUCache({ max: WRONG_MAX, ttl: WRONG_KEPT_MS, perf: { now } });
    this.#look();
  }

  /** Sorted. */
  list(): readonly string[] {
    this.#look();
    return [...this.#users.keys()].sort();
  }

  /** A word that changes with the user's password; undefined for who is not there. Tokens are bound to it. */
  version(user: string): string | undefined {
    this.#look();
    const hash = this.#users.get(user);
    return hash && createHmac('sha256', 'version').update(hash).digest('base64url').slice(0, 16);
  }

  /** What was found out lately about this very password of this user; undefined: nothing. */
  recall(user: string, password: string): 'right' | 'wrong' | undefined {
    this.#look();
    const mark = this.#mark(user, password);
    return this.#right.get(mark) ? 'right' : this.#wrong.get(mark) ? 'wrong' : undefined;
  }

  /** @throws TOOMANYREQUESTS when more are waiting than can be looked at */
  async verify(user: string, password: string): Promise<boolean> {
    const known = this.recall(user, password);
    if (known !== undefined) return known === 'right';
    const hash = this.#users.get(user);
    const mark = this.#mark(user, password);
    const { compare } = await import('@node-rs/bcrypt');
    await this.#enter();
    try {
      const isRight = (await compare(password, hash ?? NOBODY)) && hash !== undefined;
      (isRight ? this.#right : this.#wrong).set(mark, true);
      return isRight;
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Of a user's password beside the hash that it was compared with; tells nothing of either. */
  #mark(user: string, password: string): string {
    const text = JSON.stringify([this.#users.get(user) ?? '', user, password]);
    return createHmac('sha256', this.#key).update(text).digest('base64');
  }

  /** Adds a user or changes a password, and nothing else in the file. @throws NO_HTPASSWD, USER_INVALID, HTPASSWD_FIXED */
  async set(user: string, password: string): Promise<void> {
    const path = this.#writable();
    const line = await htpasswdLine(user, password);
    if (!existsSync(path)) writeFileSync(path, '', { mode: 0o600 });
    this.#change(path, (text) => withUser(text, user, inBytes(line)));
  }

  /** @throws NO_HTPASSWD, USER_UNKNOWN, HTPASSWD_FIXED */
  remove(user: string): void {
    const path = this.#writable();
    this.#look();
    if (!this.#users.has(user))
      throw new GantryError('notFound', 'USER_UNKNOWN', `there is no user ${user.slice(0, 255)}`);
    this.#change(path, (text) => withoutUser(text, user));
  }

  async #enter(): Promise<void> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= WAITING_MAX) {
        const params = { retryAfterSeconds: 5 };
        throw new GantryError('unavailable', 'TOOMANYREQUESTS', 'too many logins at once', { params });
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }

  #writable(): string {
    if (this.#path !== undefined) return this.#path;
    throw new GantryError('invalid', 'NO_HTPASSWD', 'the registry has no htpasswd file', {
      hint: 'start it with --htpasswd FILE',
    });
  }

  #change(path: string, change: (text: string) => string): void {
    changeFile(path, change);
    this.#lookedAtMs = Number.NEGATIVE_INFINITY;
    this.#look();
  }

  /** Reads the file when it is another one than before; one that is missing or broken locks everybody out, and is logged once. */
  #look(): void {
    if (this.#path === undefined || this.#now() - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = this.#now();
    const facts = statSync(this.#path, { throwIfNoEntry: false });
    const stamp = facts ? `${facts.mtimeMs} ${facts.size} ${facts.ino}` : 'gone';
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.#right.clear();
    try {
      if (facts && facts.size > FILE_MAX_BYTES) throw new Error(`it is over ${FILE_MAX_BYTES} bytes`);
      this.#users = parse(readFileSync(this.#path, 'utf8'), (user) =>
        this.#log('warn', `the htpasswd entry of ${user} is no bcrypt hash; nobody logs in with it`),
      );
    } catch (error) {
      this.#users = new Map();
      this.#log('error', `cannot read the htpasswd file: ${messageOf(error)}`);
    }
  }
}

function parse(text: string, complain: (user: string) => void): Map<string, string> {
  const users = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 1 || line.startsWith('#')) continue;
    const user = line.slice(0, colon);
    const hash = line.slice(colon + 1).trimEnd();
    if (HASH.test(hash)) users.set(user, hash);
    else complain(JSON.stringify(user.slice(0, 100)));
  }
  return users;
}

/** The htpasswd line of a user. @throws USER_INVALID */
export async function htpasswdLine(user: string, password: string): Promise<string> {
  if (!USER.test(user) || user.startsWith('robot$') || user.startsWith('#')) {
    throw new GantryError(
      'invalid',
      'USER_INVALID',
      'a user name has no colons and spaces, and does not begin with robot$ or #',
    );
  }
  if (password === '' || Buffer.byteLength(password) > 72) {
    throw new GantryError('invalid', 'USER_INVALID', 'a password has 1 to 72 bytes, as bcrypt reads no more');
  }
  const { hash } = await import('@node-rs/bcrypt');
  return `${user}:${await hash(password, COST)}`;
}
