// Owns finding the certificates for one registry: a file that was named, and the folders in which Docker looks.
// @source Docker, "Verify repository client with certificates": certs.d/HOST[:PORT]/*.crt, *.cert with *.key
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RegistryTls } from '../../../client/index.ts';
import type { Environment } from '../../config/host.ts';
import { CommandFailure } from '../../failure.ts';

/** Whom to trust for `host`, and as whom to come; `caFile` is '' when none was named. @throws CommandFailure (1) for files that cannot be read */
export function tlsFor(host: string, caFile: string, env: Environment): RegistryTls {
  const folders = foldersFor(host, env).filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const ca = [...(caFile === '' ? [] : [caFile]), ...files.filter((file) => file.endsWith('.crt'))].map(read);
  const certFile = files.find((file) => file.endsWith('.cert'));
  if (certFile === undefined) return { ca };
  const keyFile = certFile.replace(/cert$/, 'key');
  if (!existsSync(keyFile)) throw new CommandFailure(1, `missing key ${keyFile} for client certificate ${certFile}`);
  return { ca, cert: read(certFile), key: read(keyFile) };
}

function foldersFor(host: string, env: Environment): readonly string[] {
  // A name that climbs names no folder.
  if (!/^[A-Za-z0-9._[\]:-]+$/.test(host) || host.startsWith('.')) return [];
  const own = env.XDG_CONFIG_HOME || (env.HOME ? join(env.HOME, '.config') : undefined);
  return [...(own === undefined ? [] : [own]), '/etc'].map((base) => join(base, 'docker', 'certs.d', host));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(
      1,
      `Error: cannot read the certificate: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
