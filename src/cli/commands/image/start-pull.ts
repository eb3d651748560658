// Owns starting a pull with the right credentials. Shows nothing.
import type { ProgressStream } from '../../../client/index.ts';
import { encodeRegistryAuth, findCredentials, serverKey } from '../../config/credentials.ts';
import { fullRepository, type ImageName, parseImageName, withDefaultTag } from '../../references.ts';
import type { Session } from '../../session.ts';

/** The X-Registry-Auth value for a registry. */
export async function registryAuthFor(session: Session, domain: string): Promise<string> {
  return encodeRegistryAuth(await findCredentials(session.config(), serverKey(domain)));
}

/** Starts pulling `image` (default tag `latest`). */
export async function startPull(session: Session, image: string, platform: string): Promise<ProgressStream> {
  return pullName(session, withDefaultTag(parseImageName(image)), platform);
}

/** Starts pulling a name as it is: without tag and digest it means every tag. */
export async function pullName(session: Session, name: ImageName, platform: string): Promise<ProgressStream> {
  return session.client().images.pull(fullRepository(name), {
    tag: name.digest ?? name.tag,
    platform,
    registryAuth: await registryAuthFor(session, name.domain),
  });
}
