// Owns what of an exec's request no runtime may be given, since each makes something else of it. Pure.

import { posix } from 'node:path';
import type { GantryError } from '../../lib/errors.ts';
import { goQuote } from '../../lib/go-quote.ts';
import { startError } from '../../runtime/drivers/index.ts';
import type { ExecRequest } from '../exec/index.ts';

const NOT_FOUND = 127;
const NOT_STARTED = 128;
const PREFIX = 'OCI runtime exec failed: exec failed: ';
const STARTING = `${PREFIX}unable to start container process: `;

/** A NUL would end a text early in the kernel's eyes. @throws START_FAILED in Docker's words @source dockerd 28.5 with runc 1.3 */
export function checkExecRequest(request: Pick<ExecRequest, 'command' | 'env' | 'workingDir'>): void {
  const { command, env, workingDir } = request;
  if (workingDir !== '' && !posix.isAbsolute(workingDir)) throw refused(`${PREFIX}Cwd must be an absolute path`);
  for (const entry of env.filter((text) => text.includes('='))) checkVariable(entry);
  if (workingDir.includes('\0'))
    throw refused(`${STARTING}chdir to cwd (${goQuote(workingDir)}) set in config.json failed: invalid argument`);
  checkCommand(command);
}

function checkVariable(entry: string): void {
  const name = entry.slice(0, entry.indexOf('='));
  if (name === '') throw refused(`${STARTING}invalid environment variable: name cannot be empty`);
  if (entry.includes('\0'))
    throw refused(`${STARTING}invalid environment variable ${goQuote(name)}: contains nul byte (\\x00)`);
}

function checkCommand([program = '', ...args]: readonly string[]): void {
  if (program.includes('\0')) {
    const message = `${STARTING}exec: ${goQuote(program)}: executable file not found in $PATH`;
    throw startError({ message, exitCode: NOT_FOUND, kind: 'invalid' });
  }
  const argument = args.find((text) => text.includes('\0'));
  if (argument !== undefined) throw refused(`${STARTING}exec: ${goQuote(argument)}: invalid argument`);
}

function refused(message: string): GantryError {
  return startError({ message, exitCode: NOT_STARTED, kind: 'system' });
}
