// Owns what `--docker` says of a context's endpoint. Writes nothing.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '../../../lib/errors.ts';
import type { TlsFiles } from '../../config/context-store.ts';
import type { ContextEndpoint } from '../../config/contexts.ts';
import { CommandFailure } from '../../failure.ts';
import { parseGoBool } from '../../grammar/go-text.ts';
import type { Session } from '../../session.ts';
import { systemReason } from '../../system-reason.ts';
import { wholeContext } from './current.ts';

const KEYS = new Set(['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify']);

/** What every PEM file holds. */
const PEM = '-----BEGIN ';

/** A scheme and something after it. */
const HOST = /^[^:/?#]*:\/\/./s;

/**
 * The endpoint that `pairs` (`key=value`) describe. Of `from`, the certificates are not copied, as docker does not.
 * @throws CommandFailure (1) in Docker's words when it would be of no use
 * @source docker 28.2.2
 */
export function readEndpoint(session: Session, pairs: readonly string[]): { endpoint: ContextEndpoint; tls: TlsFiles } {
  const options = new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  try {
    for (const key of options.keys()) if (!KEYS.has(key)) throw new Error(`unrecognized config key: ${key}`);
    const from = options.get('from');
    if (from !== undefined) return { endpoint: wholeContext(session, from).metadata.Endpoints.docker ?? {}, tls: {} };
    const files = tlsFiles(session, options);
    const skip = options.get('skip-tls-verify');
    const host = options.get('host') ?? '';
    if (host !== '') checkHost(host, files);
    const endpoint = {
      ...(host === '' ? {} : { Host: host }),
      SkipTLSVerify: skip === undefined ? false : boolOf(skip),
    };
    return { endpoint, tls: Object.keys(files).length === 0 ? {} : { docker: files } };
  } catch (error) {
    throw new CommandFailure(1, `unable to create docker endpoint config: ${messageOf(error)}`);
  }
}

function boolOf(text: string): boolean {
  try {
    return parseGoBool(text);
  } catch (error) {
    throw new Error(`skip-tls-verify: ${messageOf(error).replace('strconv.ParseBool: ', '')}`);
  }
}

type Files = Readonly<Record<string, Buffer>>;

function tlsFiles(session: Session, options: ReadonlyMap<string, string>): Files {
  const read = (option: string): [string, Buffer][] => {
    const path = options.get(option);
    if (path === undefined || path === '') return [];
    try {
      return [[`${option}.pem`, readFileSync(resolve(session.cwd, path))]];
    } catch (error) {
      const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : 'open';
      throw new Error(`${call} ${path}: ${systemReason(error)}`);
    }
  };
  return Object.fromEntries(['ca', 'cert', 'key'].flatMap(read));
}

function checkHost(host: string, files: Files): void {
  if (!HOST.test(host)) {
    throw new Error(`unable to apply docker endpoint options: unable to parse docker host \`${host}\``);
  }
  const fault = tlsFault(files) ?? portFault(host);
  if (fault !== undefined) throw new Error(`invalid docker endpoint options: ${fault}`);
}

function portFault(host: string): string | undefined {
  const [, port] = /^[^:]*:\/\/(?:[^/?#]*@)?(?:\[[^\]]*\]|[^:/?#]*)(:[^/?#]*)/.exec(host) ?? [];
  return port === undefined || /^:\d*$/.test(port) ? undefined : `parse "${host}": invalid port "${port}" after host`;
}

/** Why these certificates are of no use; undefined when they are. */
function tlsFault({ 'ca.pem': ca, 'cert.pem': cert, 'key.pem': key }: Files): string | undefined {
  const { X509Certificate, createPrivateKey } = process.getBuiltinModule('node:crypto');
  const unread = 'failed to retrieve context tls info';
  if (ca !== undefined && !succeeds(() => new X509Certificate(ca))) return `${unread}: ca.pem seems invalid`;
  if (cert === undefined || key === undefined) return undefined;
  if (!cert.includes(PEM)) return `${unread}: tls: failed to find any PEM data in certificate input`;
  if (!key.includes(PEM)) return 'no valid private key found';
  if (!succeeds(() => new X509Certificate(cert))) return `${unread}: cert.pem seems invalid`;
  if (!succeeds(() => createPrivateKey(key))) return `${unread}: key.pem seems invalid`;
  const belongs = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  return belongs ? undefined : `${unread}: tls: private key does not match public key`;
}

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
