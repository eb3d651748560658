// Owns what the spelling of paths means to `cp`: container or local, a folder or its content, which name the copy gets. Pure: looks
// at no file. @source docker 28.2.2

import { posix } from 'node:path';
import { CommandFailure } from '../failure.ts';

/** One argument of `cp`. `container` '' is the local file system. */
export interface CopyArgument {
  readonly container: string;
  readonly path: string;
}

/** What is at one end of a copy. */
export interface CopyEnd {
  readonly path: string;
  readonly exists: boolean;
  readonly isFolder: boolean;
}

/** What is copied; `givenName` is the name that the user wrote, where a link at its end leads to another. */
export interface CopySource extends CopyEnd {
  readonly givenName: string | undefined;
}

/** Where an archive is extracted, and the name that its top entry gets there; undefined keeps its own. */
export interface Placement {
  readonly folder: string;
  readonly name: string | undefined;
}

/** `c1:/etc` is in a container; `/a:b` and `./a:b` are local. */
export function splitArgument(text: string): CopyArgument {
  const colon = text.indexOf(':');
  if (text.startsWith('/') || colon < 0 || text.startsWith('.')) return { container: '', path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** True for `a/.`, `.`, `./` and ''. */
function isContentPath(path: string): boolean {
  return path === '' || /(^|\/)\.\/*$/.test(path);
}

function saysFolder(path: string): boolean {
  return path.endsWith('/') || isContentPath(path);
}

/** `cleaned`, with the `/` or `/.` at its end that `original` has. */
export function withEnding(cleaned: string, original: string): string {
  let path = cleaned;
  if (!isContentPath(path) && isContentPath(original)) path = `${path.replace(/\/$/, '')}/.`;
  return !path.endsWith('/') && original.endsWith('/') ? `${path}/` : path;
}

/** Folder and last part; that of `a/.` is `.`. */
export function splitEntry(path: string): { readonly folder: string; readonly base: string } {
  const clean = cleaned(path);
  const whole = isContentPath(path) ? `${clean}/.` : clean;
  if (/^\/+$/.test(whole)) return { folder: '/', base: '/' };
  const slash = whole.lastIndexOf('/');
  return { folder: cleaned(whole.slice(0, slash + 1)), base: whole.slice(slash + 1) };
}

/** As few characters as possible, without a slash at the end. */
export function cleaned(path: string): string {
  return posix.normalize(path || '.').replace(/(?<=.)\/$/, '');
}

/** Where the link `target` of what is at `path` leads to. */
export function linkedPath(path: string, target: string): string {
  return target.startsWith('/') ? target : posix.join(splitEntry(path).folder, target);
}

/** `resolved` spelt as `given` was, and the given name where the two differ. */
export function followed(
  given: string,
  resolved: string,
): { readonly path: string; readonly name: string | undefined } {
  let path = resolved;
  if (isContentPath(given) && !isContentPath(path)) path = `${path}/.`;
  if (given.endsWith('/') && !path.endsWith('/')) path = `${path}/`;
  const name = baseOf(given);
  return { path, name: name === baseOf(path) ? undefined : name };
}

/** The last part, without slashes; `/` of the root. */
export function baseOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return path === '' ? '.' : '/';
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** The name of the archive's top entry. */
export function entryNameOf({ path }: CopyEnd): string {
  return splitEntry(path).base;
}

/** Where the archive of `source` is extracted so that it becomes `target`. @throws CommandFailure for a folder over a file, or `x/` of a file */
export function placementOf(source: CopySource, target: CopyEnd): Placement {
  if (target.exists && target.isFolder) return { folder: target.path, name: source.givenName };
  if (target.exists && source.isFolder) throw new CommandFailure(1, 'cannot copy directory');
  if (!target.exists && !source.isFolder && saysFolder(target.path)) throw new CommandFailure(1, 'no such directory');
  const { folder, base } = splitEntry(target.path);
  return { folder, name: base };
}
