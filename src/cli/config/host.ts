// Owns choosing the daemon: from flags, environment, context or the default socket, in that order. Connects to nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from '../../client/index.ts';
import { CommandFailure } from '../failure.ts';
import type { Flags } from '../grammar/flags.ts';
import { systemReason } from '../system-reason.ts';
import { contextTls, DEFAULT_CONTEXT, readContext } from './contexts.ts';
import type { ConfigFile } from './file.ts';

/** What every failure to find a daemon's address begins with. */
export const UNRESOLVED = 'Failed to initialize: unable to resolve docker endpoint';

/** Where gantryd listens when nothing else is said. */
export const DEFAULT_HOST = 'unix:///run/gantry/gantry.sock';

const TLS_HINT =
  'put ca.pem, cert.pem and key.pem into the folder of DOCKER_CERT_PATH, or name them with --tlscacert, --tlscert, --tlskey';

/** The chosen daemon. */
export interface ChosenHost {
  readonly host: string;
  readonly context: string;
  readonly tls: TlsOptions | undefined;
}

/** Environment variables as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The name of the context in force, with the flag or variable that decided. */
export function chooseContext(flags: Flags, env: Environment, config: ConfigFile): string {
  if (flags.text('context') !== '') {
    if (flags.list('host').length > 0) {
      throw new CommandFailure(1, 'conflicting options: cannot specify both --host and --context');
    }
    return flags.text('context');
  }
  if (flags.list('host').length > 0 || env.GANTRY_HOST || env.DOCKER_HOST) return DEFAULT_CONTEXT;
  return env.DOCKER_CONTEXT || config.data.currentContext || DEFAULT_CONTEXT;
}

/**
 * The daemon to talk to.
 * @throws CommandFailure (1) when two hosts are given or the context is unknown
 * @source docker 28.2.2, with GANTRY_HOST before DOCKER_HOST
 */
export function chooseHost(flags: Flags, env: Environment, config: ConfigFile): ChosenHost {
  const context = chooseContext(flags, env, config);
  const hosts = flags.list('host');
  if (hosts.length > 1) throw initFailure('Specify only one -H');
  if (context === DEFAULT_CONTEXT) {
    return { host: givenHost(flags, env), context, tls: defaultTls(flags, env, config) };
  }
  const metadata = contextOrFailure(config.folder, context);
  const host = metadata.Endpoints.docker?.Host || DEFAULT_HOST;
  return { host, context, tls: contextTls(config.folder, metadata) };
}

/** The daemon where no context says one. */
export function givenHost(flags: Flags, env: Environment): string {
  return (flags.list('host')[0] || env.GANTRY_HOST || env.DOCKER_HOST || DEFAULT_HOST).trim();
}

function contextOrFailure(folder: string, name: string): ReturnType<typeof readContext> {
  try {
    return readContext(folder, name);
  } catch (error) {
    throw error instanceof CommandFailure ? initFailure(error.message, error.hint) : error;
  }
}

function initFailure(reason: string, hint?: string): CommandFailure {
  return new CommandFailure(1, `${UNRESOLVED}: ${reason}`, hint);
}

/** The certificates where no context has them. @throws CommandFailure (1) when one that is needed cannot be read */
export function defaultTls(flags: Flags, env: Environment, config: ConfigFile): TlsOptions | undefined {
  const verify = flags.changed('tlsverify') ? flags.bool('tlsverify') : Boolean(env.DOCKER_TLS_VERIFY);
  const wanted = verify || flags.bool('tls') || Boolean(env.DOCKER_TLS);
  if (!wanted) return undefined;
  const folder = env.DOCKER_CERT_PATH || config.folder;
  // The certificate and its key may be missing where they usually lie; the authority may not.
  const read = (flag: string, file: string, required: boolean): string | undefined => {
    const path = flags.changed(flag) ? flags.text(flag) : join(folder, file);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (!required && !flags.changed(flag)) return undefined;
      throw initFailure(`open ${path}: ${systemReason(error)}`, TLS_HINT);
    }
  };
  return {
    ca: read('tlscacert', 'ca.pem', true),
    cert: read('tlscert', 'cert.pem', false),
    key: read('tlskey', 'key.pem', false),
    verify,
  };
}
