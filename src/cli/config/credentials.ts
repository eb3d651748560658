// Owns registry credentials: config.json, the docker-credential helpers, and the X-Registry-Auth header.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { CommandFailure } from '../failure.ts';
import type { ConfigFile, StoredAuth } from './file.ts';

/** Credentials of one registry, as the API takes them. @source Engine API, AuthConfig */
export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress?: string;
}

/** Key of Docker Hub in config.json. */
export const HUB_SERVER = 'https://index.docker.io/v1/';
/** User name under which helpers keep an identity token. */
const TOKEN_USER = '<token>';
const NOT_FOUND = /credentials not found in native keychain/;

/** The value of X-Registry-Auth: JSON in padded base64 for URLs. */
export function encodeRegistryAuth(credentials: RegistryCredentials): string {
  return Buffer.from(JSON.stringify(credentials)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** The key for a registry `domain` (`docker.io` is Docker Hub). */
export function serverKey(domain: string): string {
  return domain === 'docker.io' || domain === 'index.docker.io' ? HUB_SERVER : domain;
}

/** The credentials for `server`, empty when there are none. */
export async function findCredentials(config: ConfigFile, server: string): Promise<RegistryCredentials> {
  const helper = helperOf(config, server);
  if (helper !== undefined) return credentialsFromHelper(helper, server);
  const key = matchingKey(Object.keys(config.data.auths ?? {}), server);
  return key === undefined ? {} : credentialsOf(config.data.auths?.[key] ?? {}, server);
}

/** Keeps `credentials` for `server`, in the helper when there is one. */
export async function storeCredentials(
  config: ConfigFile,
  server: string,
  credentials: RegistryCredentials,
): Promise<'helper' | 'file'> {
  const helper = helperOf(config, server);
  if (helper === undefined) {
    config.update({ auths: { ...config.data.auths, [server]: storedForm(credentials) } });
    return 'file';
  }
  const token = credentials.identitytoken;
  const body = token
    ? { ServerURL: server, Username: TOKEN_USER, Secret: token }
    : { ServerURL: server, Username: credentials.username ?? '', Secret: credentials.password ?? '' };
  await runHelper(helper, 'store', JSON.stringify(body));
  config.update({ auths: { ...config.data.auths, [server]: {} } });
  return 'helper';
}

/** Forgets the credentials for `server`; true when there were any. */
export async function eraseCredentials(config: ConfigFile, server: string): Promise<boolean> {
  const auths: Record<string, StoredAuth> = { ...config.data.auths };
  const known = auths[server] !== undefined;
  const helper = helperOf(config, server);
  if (helper !== undefined) await runHelper(helper, 'erase', server).catch(() => {});
  if (!known) return false;
  delete auths[server];
  config.update({ auths });
  return true;
}

function helperOf(config: ConfigFile, server: string): string | undefined {
  return config.data.credHelpers?.[server] || config.data.credsStore || undefined;
}

async function credentialsFromHelper(helper: string, server: string): Promise<RegistryCredentials> {
  const answer = await runHelper(helper, 'get', server);
  if (answer === undefined) return {};
  const parsed = JSON.parse(answer) as { Username?: string; Secret?: string };
  if (parsed.Username === TOKEN_USER) return { identitytoken: parsed.Secret ?? '', serveraddress: server };
  return { username: parsed.Username ?? '', password: parsed.Secret ?? '', serveraddress: server };
}

/** The helper's answer; undefined when it knows no credentials. */
async function runHelper(helper: string, verb: string, input: string): Promise<string | undefined> {
  const program = `docker-credential-${helper}`;
  const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  try {
    const [output, code] = await Promise.all([text(child.stdout), exit]);
    if (code === 0) return output;
    if (NOT_FOUND.test(output)) return undefined;
    throw new CommandFailure(1, `error getting credentials - err: exit status ${code}, out: \`${output.trim()}\``);
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(
      1,
      `error getting credentials - err: exec: "${program}": executable file not found in $PATH, out: \`\``,
      `install ${program}, or remove it from config.json`,
    );
  }
}

function credentialsOf(stored: StoredAuth, server: string): RegistryCredentials {
  const decoded = Buffer.from(stored.auth ?? '', 'base64').toString();
  const colon = decoded.indexOf(':');
  return {
    ...(colon === -1
      ? {}
      : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') }),
    ...(stored.identitytoken ? { identitytoken: stored.identitytoken } : {}),
    serveraddress: server,
  };
}

function storedForm(credentials: RegistryCredentials): StoredAuth {
  const password = credentials.identitytoken ? '' : (credentials.password ?? '');
  return {
    auth: Buffer.from(`${credentials.username ?? ''}:${password}`).toString('base64'),
    ...(credentials.identitytoken ? { identitytoken: credentials.identitytoken } : {}),
  };
}

/** Old files key a registry by URL: compare hosts. @source docker/cli configfile */
function matchingKey(keys: readonly string[], server: string): string | undefined {
  if (keys.includes(server)) return server;
  const hostOf = (key: string): string => key.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return keys.find((key) => hostOf(key) === hostOf(server));
}
