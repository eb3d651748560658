// Owns the grammar of repository names and tags in the distribution API. Pure.
// @source OCI distribution specification 1.1, "Pulling manifests"

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** @source distribution's reference grammar: a full name, without host, may have 255 characters */
const NAME_MAX_CHARS = 255;

/** True when `text` may be the name of a repository. */
export function isRepositoryName(text: string): boolean {
  return text.length <= NAME_MAX_CHARS && NAME.test(text);
}

/** True when `text` may be a tag. */
export function isTagName(text: string): boolean {
  return TAG.test(text);
}
