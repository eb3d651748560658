// Owns resolving `--user` and `--group-add` against the text of a container's passwd and group files. Pure; reads no file.

import { GantryError } from '../lib/errors.ts';

/** What a process runs as. `home` is absolute. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the primary group first. */
  readonly groups: readonly number[];
  readonly home: string;
}

/** Texts of the container's files; '' when they are missing. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Docker's upper bound for ids. */
const HIGHEST_ID = 2147483647;
/** The files are the image's: longer ones are not read further. */
const LONGEST_FILE_CHARS = 4 * 1024 * 1024;

/**
 * Resolves `user` (`''`, name or uid, then `:` group name or gid) and the added groups.
 * A number is an id and never a name. Without a group the primary one of passwd counts, and every group that lists the user.
 * @throws USER_NOT_FOUND, GROUP_NOT_FOUND, ID_OUT_OF_RANGE with Docker's wordings
 * @source dockerd 28.5 with 36 spellings of --user
 */
export function resolveUser(user: string, groupAdd: readonly string[], files: UserFiles): ResolvedUser {
  const passwd = parsePasswd(files.passwd);
  const groups = parseGroups(files.group);
  const [userPart = '', groupPart = ''] = user.split(':');
  const entry = findUser(passwd, userPart);
  const uid = entry?.uid ?? (userPart === '' ? 0 : (asId(userPart) ?? missingUser(userPart)));
  const gid = groupPart === '' ? (entry?.gid ?? 0) : findGroup(groups, groupPart);
  const memberOf =
    groupPart === '' && entry !== undefined
      ? groups.filter(({ members }) => members.includes(entry.name)).map((group) => group.gid)
      : [];
  const added = groupAdd.map((name) => findGroup(groups, name));
  return { uid, gid, groups: [...new Set([gid, ...memberOf, ...added])], home: homeOf(passwd, uid) };
}

function findUser(passwd: readonly PasswdEntry[], user: string): PasswdEntry | undefined {
  const id = user === '' ? 0 : asId(user);
  return passwd.find((entry) => (id === undefined ? entry.name === user : entry.uid === id));
}

function missingUser(user: string): never {
  throw new GantryError(
    'invalid',
    'USER_NOT_FOUND',
    `unable to find user ${user}: no matching entries in passwd file`,
    { params: { user } },
  );
}

function findGroup(groups: readonly GroupEntry[], group: string): number {
  const id = asId(group);
  const gid = id ?? groups.find(({ name }) => name === group)?.gid;
  if (gid !== undefined) return gid;
  throw new GantryError(
    'invalid',
    'GROUP_NOT_FOUND',
    `unable to find group ${group}: no matching entries in group file`,
    { params: { group } },
  );
}

/** undefined for a name. */
function asId(text: string): number | undefined {
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const id = Number(text);
  if (id >= 0 && id <= HIGHEST_ID) return id;
  throw new GantryError('invalid', 'ID_OUT_OF_RANGE', `uids and gids must be in range 0-${HIGHEST_ID}`, {
    params: { id: text },
  });
}

/** As the runtimes do it: the first entry of that uid, whatever name was asked for. */
function homeOf(passwd: readonly PasswdEntry[], uid: number): string {
  const home = passwd.find((entry) => entry.uid === uid)?.home ?? '';
  return home === '' ? '/' : home;
}

/** Entries whose ids are no ids are left out: Docker reads them as 0, which is root. */
function parsePasswd(text: string): PasswdEntry[] {
  return lines(text).flatMap((line) => {
    const [name = '', , uidText = '', gidText = '0', , home = ''] = line.split(':');
    const [uid, gid] = [fileId(uidText), fileId(gidText)];
    return name === '' || uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
  });
}

function parseGroups(text: string): GroupEntry[] {
  return lines(text).flatMap((line) => {
    const [name = '', , gidText = '', members = ''] = line.split(':');
    const gid = fileId(gidText);
    return name === '' || gid === undefined ? [] : [{ name, gid, members: members.split(',') }];
  });
}

function fileId(text: string): number | undefined {
  return /^[0-9]{1,10}$/.test(text) && Number(text) <= HIGHEST_ID ? Number(text) : undefined;
}

function lines(text: string): string[] {
  return text
    .slice(0, LONGEST_FILE_CHARS)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
