// Owns API version numbers in paths: which are answered, and the words for those that are not. Pure.

/** Newest and oldest minor version of API 1 that this daemon answers. */
export const NEWEST_MINOR = 51;
const OLDEST_MINOR = 24;
export const API_VERSION = `1.${NEWEST_MINOR}`;
export const MIN_API_VERSION = `1.${OLDEST_MINOR}`;

export type VersionCheck =
  | { readonly kind: 'ok'; readonly minor: number }
  | { readonly kind: 'tooNew' | 'tooOld'; readonly message: string };

/** Judges the `1.43` of `/v1.43/...`. @source dockerd 28.5.2: `/v1.051` is 1.51, `/v1.24.1` passes */
export function checkVersion(text: string, oldest = MIN_API_VERSION): VersionCheck {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  if (major > 1 || (major === 1 && minor > NEWEST_MINOR)) {
    const message = `client version ${text} is too new. Maximum supported API version is ${API_VERSION}`;
    return { kind: 'tooNew', message };
  }
  if (major < 1 || minor < Number(oldest.split('.')[1])) {
    const message = `client version ${text} is too old. Minimum supported API version is ${oldest}, please upgrade your client to a newer version`;
    return { kind: 'tooOld', message };
  }
  return { kind: 'ok', minor };
}
