// Owns starting a pull with the right credentials. Shows nothing.
import type { ProgressStream } from '../../../client/index.ts';
import { canonicalName, parseReference, type Reference, withDefaultTag } from '../../../spec/reference.ts';
import { encodeRegistryAuth, findCredentials, serverKey } from '../../config/credentials.ts';
import type { Session } from '../../session.ts';

/** The X-Registry-Auth value for a registry. */
async function registryAuthFor(session: Session, domain: string): Promise<string> {
  return encodeRegistryAuth(await findCredentials(session.config(), serverKey(domain)));
}

/** Starts pulling `image` (default tag `latest`). */
export async function startPull(session: Session, image: string, platform: string): Promise<ProgressStream> {
  return pullName(session, withDefaultTag(parseReference(image)), platform);
}

/** Starts pulling a name as it is: without tag and digest it means every tag. */
export async function pullName(session: Session, name: Reference, platform: string): Promise<ProgressStream> {
  return session.client().images.pull(canonicalName(name), {
    tag: name.digest ?? name.tag,
    platform,
    registryAuth: await registryAuthFor(session, name.domain),
  });
}
