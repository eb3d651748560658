// Owns the key of a registry in login and logout.
import { HUB_SERVER, serverKey } from '../../config/credentials.ts';

/** The config key for a server as people write it; Docker Hub when none is given. */
export function serverOf(text: string | undefined): string {
  if (text === undefined || text === '' || text === HUB_SERVER) return HUB_SERVER;
  return serverKey(text.replace(/^https?:\/\//, '').split('/')[0] ?? '');
}
