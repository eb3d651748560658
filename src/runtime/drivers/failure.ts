// Owns the words and the exit code of a start that failed, as Docker's clients expect them. Pure.

import { type ErrorKind, GantryError } from '../../lib/errors.ts';
import type { ShimFailure } from '../link/index.ts';
import type { RuntimeDriver } from './driver.ts';
import { runtimeLogMessage } from './log.ts';

/** What was being started. */
export interface StartAttempt {
  readonly phase: 'create' | 'exec';
  readonly driver: Pick<RuntimeDriver, 'dialect'>;
  /** argv of the process. */
  readonly command: readonly string[];
}

/** A failed start, ready to be thrown and stored. */
export interface StartFailure {
  /** Docker's text; the Docker CLI finds 126 or 127 in it. */
  readonly message: string;
  /** What the container's or exec's exit code becomes: 126, 127 or 128. */
  readonly exitCode: number;
  /** `invalid` is the user's doing (HTTP 400), `system` is not (500). */
  readonly kind: Extract<ErrorKind, 'invalid' | 'system'>;
  /** What to do next. */
  readonly hint?: string | undefined;
}

const CANNOT_RUN = 126;
const NOT_FOUND = 127;
const UNKNOWN = 128;
const NOT_FOUND_HINT = 'what follows the image name is the command: check that the image has it, or leave it out';
const CANNOT_RUN_HINT = 'make the file executable (chmod +x), or name its interpreter first';
const NOT_A_DIRECTORY = 'not a directory';
const NOT_A_DIRECTORY_ADVICE =
  'Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

/**
 * Docker's message and exit code for what the shim reported.
 * @source dockerd 28.5 with runc 1.3; runc 1.1.5 and crun 1.8.1 logs, in failure.test.ts
 */
export function describeStartFailure(attempt: StartAttempt, failure: ShimFailure): StartFailure {
  const said = failure.stage === 'runtime' ? runtimeLogMessage(failure.text) : shimWords(failure, attempt);
  const reason = attempt.driver.dialect === 'crun' && failure.stage === 'runtime' ? fromCrun(said, attempt) : said;
  const text = prefixed(attempt, reason);
  return classify(text);
}

/** The failure as an error for callers of the engine. */
export function startError(failure: StartFailure): GantryError {
  const { kind, message, exitCode, hint } = failure;
  return new GantryError(kind, 'START_FAILED', message, { params: { exitCode }, hint });
}

/** `write` steps are sysctls; their ENOENT is the user's unknown name. */
function shimWords({ stage, errno, text }: ShimFailure, { command: [program = ''] }: StartAttempt): string {
  const reason = ERRNO_TEXT[errno] ?? (errno === 0 ? '' : `errno ${errno}`);
  if (stage === 'session') return STARTING + cannotBecome(program, reason);
  return [stage, text, reason].filter((part) => part !== '').join(': ');
}

const ERRNO_TEXT: Readonly<Record<number, string>> = {
  1: 'operation not permitted',
  2: 'no such file or directory',
  8: 'exec format error',
  12: 'cannot allocate memory',
  13: 'permission denied',
  16: 'device or resource busy',
  20: NOT_A_DIRECTORY,
  21: 'is a directory',
  22: 'invalid argument',
  28: 'no space left on device',
  30: 'read-only file system',
  36: 'file name too long',
};

function prefixed({ phase, driver }: StartAttempt, reason: string): string {
  if (phase === 'exec') {
    const own = reason.startsWith('exec failed: ') ? reason : `exec failed: ${reason}`;
    return `OCI runtime exec failed: ${own}`;
  }
  const own = reason.replace(/^runc run failed: /, '');
  return `failed to create task for container: failed to create shim task: OCI runtime create failed: ${driver.dialect} create failed: ${own}`;
}

function classify(text: string): StartFailure {
  const has = (words: string): boolean => text.toLowerCase().includes(words);
  if (has('executable file not found') || has('no such file or directory')) {
    return { message: text, exitCode: NOT_FOUND, kind: 'invalid', ...hintOf(text, NOT_FOUND_HINT) };
  }
  if (has('permission denied') || has('is a directory')) {
    return { message: text, exitCode: CANNOT_RUN, kind: 'invalid', ...hintOf(text, CANNOT_RUN_HINT) };
  }
  if (has(NOT_A_DIRECTORY)) {
    return { message: `${text}: ${NOT_A_DIRECTORY_ADVICE}`, exitCode: NOT_FOUND, kind: 'invalid' };
  }
  return { message: text, exitCode: UNKNOWN, kind: 'system' };
}

/** Only where the command is what failed. */
function hintOf(text: string, hint: string): Pick<StartFailure, 'hint'> {
  return /\bexec: "/.test(text) ? { hint } : {};
}

const STARTING = 'unable to start container process: ';

/** crun's words in runc's, which clients know. */
function fromCrun(said: string, attempt: StartAttempt): string {
  const [program = ''] = attempt.command;
  const missing = /^executable file `(.*)` not found in \$PATH: /s.exec(said);
  if (missing !== null) return STARTING + notFound(missing[1] ?? program);
  const opening = /^open executable: (.*)$/.exec(said);
  if (opening !== null) return STARTING + cannotOpen(program, lowerFirst(opening[1] ?? ''));
  const chdir = /^chdir `(.*)`: (.*)$/s.exec(said);
  if (chdir !== null) {
    return `${STARTING}chdir to cwd ("${chdir[1]}") set in config.json failed: ${lowerFirst(chdir[2] ?? '')}`;
  }
  const mount = /^mount `(.*)` to `(.*)`: (.*)$/s.exec(said);
  if (mount !== null) {
    const [, source, target = '', reason = ''] = mount;
    return `${STARTING}error mounting "${source}" to rootfs at "/${target.replace(/^\//, '')}": ${lowerFirst(reason)}`;
  }
  return STARTING + lowerLastPart(said);
}

function notFound(program: string): string {
  return program.includes('/')
    ? `exec: "${program}": stat ${program}: no such file or directory`
    : `exec: "${program}": executable file not found in $PATH`;
}

/** What the session face of the shim could not become. */
function cannotBecome(program: string, reason: string): string {
  if (reason === ERRNO_TEXT[2]) return notFound(program);
  return reason === ERRNO_TEXT[21] ? cannotOpen(program, 'operation not permitted') : cannotOpen(program, reason);
}

/** crun answers EPERM for whatever is no regular file. */
function cannotOpen(program: string, reason: string): string {
  if (program === '') return notFound(program);
  if (reason === 'operation not permitted') return `exec: "${program}": is a directory: permission denied`;
  return reason === NOT_A_DIRECTORY
    ? `exec: "${program}": stat ${program}: ${reason}`
    : `exec: "${program}": ${reason}`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** C's error texts begin upper case, Go's lower case. */
function lowerLastPart(text: string): string {
  const at = text.lastIndexOf(': ');
  return at < 0 ? text : text.slice(0, at + 2) + lowerFirst(text.slice(at + 2));
}
