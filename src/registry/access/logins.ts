// Owns logins: whose credentials are right, and the grant that follows. Throttles guessing. Issues no token.

import type { AccessConfig } from '../config/types.ts';
import type { Actor } from '../types.ts';
import { parseBasic, readBasic, unauthorized } from './basic.ts';
import { LoginThrottle } from './guessing.ts';
import type { Passwords } from './passwords.ts';
import { anonymousGrant, isStrangerWelcome, robotGrant, userGrant } from './rights.ts';
import { actorNamed, ROBOT_PREFIX, type Robots } from './robots.ts';
import type { Checks } from './token-route.ts';
import type { Tokens } from './tokens.ts';
import type { Grant } from './types.ts';

/** The grant of every actor, without a token. */
export class Grants {
  readonly anonymous: Grant;
  readonly #config: AccessConfig;
  readonly #robots: Robots;

  constructor(config: AccessConfig, robots: Robots) {
    this.anonymous = anonymousGrant(config);
    this.#config = config;
    this.#robots = robots;
  }

  of({ kind, name }: Actor): Grant {
    if (kind === 'anonymous') return this.anonymous;
    if (kind !== 'robot') return userGrant(this.#config, name);
    const robot = this.#robots.find(name);
    return robotGrant(name, robot?.repositories ?? [], robot?.actions ?? []);
  }
}

export interface LoginsOptions {
  readonly config: AccessConfig;
  readonly passwords: Passwords;
  readonly robots: Robots;
  readonly grants: Grants;
  /** Undefined when the registry has no tokens. */
  readonly tokens: Tokens | undefined;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Checks credentials of users and robots. */
export class Logins implements Checks {
  readonly #options: LoginsOptions;
  readonly #throttle: LoginThrottle;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.#throttle = new LoginThrottle(options.now);
  }

  /** @throws UNAUTHORIZED, TOOMANYREQUESTS */
  async password(user: string, password: string, address: string): Promise<Grant> {
    const grant = user.startsWith(ROBOT_PREFIX)
      ? this.#robot(user, password)
      : await this.#user(user, password, address);
    if (!grant) throw unauthorized();
    return grant;
  }

  /** As `password`, by a Basic header; without a header the anonymous grant. */
  async basic(authorization: string | undefined, address: string): Promise<Grant> {
    const { config, grants } = this.#options;
    if (authorization !== undefined) return this.password(...parseBasic(authorization), address);
    if (!isStrangerWelcome(config)) throw unauthorized();
    return grants.anonymous;
  }

  /** The grant of a refresh token's owner. @throws UNAUTHORIZED when the token or the password it was issued for is not valid any more */
  refresh(secret: string): Grant {
    const found = this.#options.tokens?.refresh(secret);
    if (!found || this.version(found.name) !== found.version) throw unauthorized();
    return this.#options.grants.of(actorNamed(found.name));
  }

  /** The password version that refresh tokens of `name` are bound to. */
  version(name: string): string | undefined {
    const { robots, passwords } = this.#options;
    return name.startsWith(ROBOT_PREFIX) ? robots.find(name)?.version : passwords.version(name);
  }

  /** The grant of the robot in a Basic header; undefined when it holds no valid robot. */
  robotIn(authorization: string): Grant | undefined {
    const [user = '', secret = ''] = readBasic(authorization) ?? [];
    return user.startsWith(ROBOT_PREFIX) ? this.#robot(user, secret) : undefined;
  }

  /** No throttle: the secret of a robot is too long to be guessed. */
  #robot(name: string, secret: string): Grant | undefined {
    const robot = this.#options.robots.verify(name, secret);
    return robot && robotGrant(robot.name, robot.repositories, robot.actions);
  }

  async #user(user: string, password: string, address: string): Promise<Grant | undefined> {
    const { passwords, config } = this.#options;
    const known = passwords.recall(user, password);
    if (known === 'wrong') return undefined;
    await this.#throttle.turn(user, address, known === 'right');
    const isRight = await passwords.verify(user, password);
    if (isRight) this.#throttle.succeeded(user, address);
    else this.#throttle.failed(user, address);
    return isRight ? userGrant(config, user) : undefined;
  }
}
