// Owns changes to an htpasswd file: the lines of one user change, every other byte stays. Checks no password.

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { GantryError, messageOf } from '../../lib/errors.ts';

/** The file's text with `line` for `user`: in the place of the user's first line, or at the end. */
export function withUser(text: string, user: string, line: string): string {
  const lines = linesOf(text);
  const at = lines.findIndex((one) => isOf(one, user));
  if (at < 0) {
    const end = lines.at(-1) ?? '';
    return `${text}${end === '' || end.endsWith('\n') ? '' : '\n'}${line}\n`;
  }
  const ending = /\r?\n$/.exec(lines[at] ?? '')?.[0] ?? '';
  return lines.flatMap((one, i) => (i === at ? [line + ending] : isOf(one, user) ? [] : [one])).join('');
}

/** The file's text without the lines of `user`. */
export function withoutUser(text: string, user: string): string {
  return linesOf(text)
    .filter((line) => !isOf(line, user))
    .join('');
}

/**
 * Changes the file at `path` as `change` says: whoever reads it finds the old text or the new one. Bytes are characters of Latin 1, so
 * that none is lost. @throws HTPASSWD_FIXED (conflict) where the file cannot be replaced, as one that is mounted by itself
 */
export function changeFile(path: string, change: (text: string) => string): void {
  // A link stays one.
  const real = realpathSync(path);
  const { mode, uid, gid } = statSync(real);
  const fresh = `${real}.${randomUUID()}`;
  const fd = openSync(fresh, 'wx', 0o600);
  try {
    try {
      writeSync(fd, Buffer.from(change(readFileSync(real, 'latin1')), 'latin1'));
      fchmodSync(fd, mode & 0o777);
      if (process.geteuid?.() === 0) fchownSync(fd, uid, gid);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, real);
  } catch (cause) {
    rmSync(fresh, { force: true });
    if ((cause as { code?: unknown }).code !== 'EBUSY') throw cause;
    throw new GantryError('conflict', 'HTPASSWD_FIXED', `cannot replace ${real}: ${messageOf(cause)}`, {
      cause,
      hint: 'the file is a mount of its own: mount its folder instead',
    });
  }
}

/** `text` as the file has it. */
export function inBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Each with its ending. */
function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== '');
}

function isOf(line: string, user: string): boolean {
  return line.startsWith(`${inBytes(user)}:`);
}
