// Owns robot accounts, each with its own rights, a random secret and perhaps an expiry. Secrets are stored as hashes.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { GantryError } from '../../lib/errors.ts';
import type { Database, Migrations } from '../../store/database.ts';
import type { Action, Actor } from '../types.ts';

export const ROBOT_PREFIX = 'robot$';

/** The actor with a name; '' is anonymous. */
export function actorNamed(name: string): Actor {
  const kind = name === '' ? 'anonymous' : name.startsWith(ROBOT_PREFIX) ? 'robot' : 'user';
  return { name, kind };
}

export const ROBOT_MIGRATIONS: Migrations = {
  name: 'access',
  steps: [
    `CREATE TABLE access_robots (
       name TEXT PRIMARY KEY, hash TEXT NOT NULL, repositories TEXT NOT NULL, actions TEXT NOT NULL,
       created_ms INTEGER NOT NULL, expires_ms INTEGER) STRICT, WITHOUT ROWID;
     CREATE TABLE access_keys (id TEXT PRIMARY KEY, jwk TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE access_refresh_tokens (
       hash TEXT PRIMARY KEY, subject TEXT NOT NULL, version TEXT NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE INDEX access_refresh_tokens_expiry ON access_refresh_tokens (expires_ms);`,
  ],
};

/** A robot, without its secret. */
export interface Robot {
  /** With its prefix `robot$`. */
  readonly name: string;
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  readonly createdAtMs: number;
  readonly expiresAtMs?: number | undefined;
}

export interface NewRobot {
  /** Without prefix: `[a-z0-9][a-z0-9._-]{0,63}`. */
  readonly name: string;
  readonly repositories: readonly string[];
  readonly actions: readonly Action[];
  readonly expiresAtMs?: number | undefined;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const ACTIONS: readonly string[] = ['pull', 'push', 'delete'];
const ROBOTS_MAX = 10_000;
const PATTERNS_MAX = 100;

/** A random secret needs no slow hash. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The robots of one registry. */
export class Robots {
  readonly #db: Database;
  readonly #now: () => number;

  constructor(db: Database, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  list(): readonly Robot[] {
    return this.#db.sql('SELECT * FROM access_robots ORDER BY name').all().map(robotOf);
  }

  /** Makes a robot, and returns its secret, which cannot be read again. @throws ROBOT_INVALID, ROBOT_TAKEN */
  create({ name, repositories, actions, expiresAtMs }: NewRobot): { readonly robot: Robot; readonly secret: string } {
    if (!NAME.test(name)) throw invalid('a robot name is of the form [a-z0-9][a-z0-9._-]{0,63}');
    if (repositories.length === 0 || repositories.length > PATTERNS_MAX)
      throw invalid(`a robot has 1 to ${PATTERNS_MAX} repository patterns`);
    if (actions.length === 0 || actions.some((action) => !ACTIONS.includes(action)))
      throw invalid('actions are pull, push and delete');
    const full = ROBOT_PREFIX + name;
    const secret = randomBytes(32).toString('base64url');
    const row = [full, hashSecret(secret), JSON.stringify(repositories), JSON.stringify(actions), this.#now()] as const;
    this.#db.transaction(() => {
      const { count } = this.#db.sql('SELECT count(*) AS count FROM access_robots').get() ?? {};
      if (Number(count) >= ROBOTS_MAX) throw invalid(`there are ${ROBOTS_MAX} robots already`);
      const made = this.#db
        .sql(`INSERT OR IGNORE INTO access_robots (name, hash, repositories, actions, created_ms, expires_ms)
              VALUES (?, ?, ?, ?, ?, ?)`)
        .run(...row, expiresAtMs ?? null);
      if (Number(made.changes) === 0)
        throw new GantryError('conflict', 'ROBOT_TAKEN', `there is a robot ${full} already`);
    });
    return { robot: { name: full, repositories, actions, createdAtMs: row[4], expiresAtMs }, secret };
  }

  /** @throws ROBOT_UNKNOWN */
  remove(name: string): void {
    const full = name.startsWith(ROBOT_PREFIX) ? name : ROBOT_PREFIX + name;
    const gone = this.#db.sql('DELETE FROM access_robots WHERE name = ?').run(full);
    if (Number(gone.changes) === 0)
      throw new GantryError('notFound', 'ROBOT_UNKNOWN', `there is no robot ${full.slice(0, 100)}`);
  }

  /** The robot, when it exists, has not expired and the secret is right. */
  verify(name: string, secret: string): Robot | undefined {
    const row = this.#db.sql('SELECT * FROM access_robots WHERE name = ?').get(name);
    const isRight =
      row !== undefined && timingSafeEqual(Buffer.from(String(row.hash)), Buffer.from(hashSecret(secret)));
    return isRight ? this.find(name) : undefined;
  }

  /** The robot, when it exists and has not expired. */
  find(name: string): (Robot & { readonly version: string }) | undefined {
    const row = this.#db.sql('SELECT * FROM access_robots WHERE name = ?').get(name);
    const robot = row && robotOf(row);
    if (!row || !robot || (robot.expiresAtMs ?? Number.POSITIVE_INFINITY) <= this.#now()) return undefined;
    return { ...robot, version: String(row.hash).slice(0, 16) };
  }
}

function robotOf(row: Readonly<Record<string, unknown>>): Robot {
  return {
    name: String(row.name),
    repositories: JSON.parse(String(row.repositories)) as string[],
    actions: JSON.parse(String(row.actions)) as Action[],
    createdAtMs: Number(row.created_ms),
    expiresAtMs: row.expires_ms === null ? undefined : Number(row.expires_ms),
  };
}

function invalid(message: string): GantryError {
  return new GantryError('invalid', 'ROBOT_INVALID', message);
}
