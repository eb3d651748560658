// Owns one run of the command line: options, command lookup, help, and turning failures into text and exit codes.
import { explainFailure } from './explain.ts';
import { CommandFailure, QuietExit } from './failure.ts';
import { globalOptions } from './grammar/global.table.ts';
import { FlagError, type ParsedLine, parseLine } from './grammar/parse.ts';
import type { FlagSpec } from './grammar/types.ts';
import { argumentCountError, commandHelp, flagErrorText, PROGRAM, usageLine } from './grammar/usage.ts';
import { type CommandEntry, findCommand, GROUPS } from './registry.ts';
import { type Command, createSession, type Session, type Stdio } from './session.ts';
import { groupHelp, rootHelp } from './top-help.ts';

const FLAG_ERROR_EXIT = 125;
const ROOT_USAGE = `Usage:  ${PROGRAM} [OPTIONS] COMMAND [ARG...]`;
const DEFAULT_COLUMNS = 80;

/** What tests fix. */
export interface MainOptions {
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/**
 * Runs one command line; resolves with the exit code and never rejects.
 * @source docker 28.2.2 for every text and code
 */
export async function main(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  stdio: Stdio,
  options: MainOptions = {},
): Promise<number> {
  const say = (text: string): void => {
    stdio.stderr.write(`${text}\n`);
  };
  let globals: ParsedLine;
  try {
    globals = parseLine(argv, { specs: globalOptions, interspersed: false });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    say(flagErrorText(error.message, ROOT_USAGE, ''));
    return FLAG_ERROR_EXIT;
  }
  using session = createSession({ stdio, env, globals: globals.flags, now: options.now });
  try {
    return await dispatch(session, globals);
  } catch (error) {
    if (error instanceof QuietExit) return error.exitCode;
    const explained = explainFailure(error, globals.flags.bool('debug'));
    if (explained.text !== '') say(explained.text);
    return explained.exitCode;
  }
}

async function dispatch(session: Session, globals: ParsedLine): Promise<number> {
  if (globals.flags.bool('version')) {
    const { VERSION } = await import('../lib/package.ts');
    session.line(`Gantry version ${VERSION}`);
    return 0;
  }
  let words = globals.args;
  const helpAsked = words[0] === 'help';
  if (helpAsked) words = words.slice(1);
  if (words.length === 0) {
    session.out(rootHelp(columnsOf(session)));
    return 0;
  }
  const found = findCommand(words);
  if (found === undefined) return unknownOrGroup(session, words, globals.help !== 'no' || helpAsked);
  const rest = words.slice(found.used);
  const line = helpAsked || globals.help !== 'no' ? ['--help'] : rest;
  return runCommand(session, found.entry, found.path, line);
}

async function unknownOrGroup(session: Session, words: readonly string[], help: boolean): Promise<number> {
  const group = GROUPS.find((candidate) => candidate.path === words[0]);
  const next = words[1];
  if (group === undefined) {
    const { runPlugin } = await import('./plugins.ts');
    const code = help ? undefined : await runPlugin(session, words);
    if (code !== undefined) return code;
    throw new CommandFailure(
      1,
      `${PROGRAM}: unknown command: ${PROGRAM} ${words[0]}\n\nRun '${PROGRAM} --help' for more information`,
    );
  }
  if (next === undefined || next === '--help' || next === '-h' || help) {
    if (next === '-h') session.warn('Flag shorthand -h has been deprecated, use --help');
    session.out(groupHelp(group));
    return 0;
  }
  const usage = `Usage:  ${PROGRAM} ${group.usage}`;
  if (next.startsWith('-')) {
    const what = next.startsWith('--')
      ? `unknown flag: ${next.replace(/=.*/s, '')}`
      : `unknown shorthand flag: '${next[1] ?? ''}' in ${next}`;
    throw new CommandFailure(FLAG_ERROR_EXIT, flagErrorText(what, usage, group.path));
  }
  const pointer = `Run '${PROGRAM} ${group.path} --help' for more information`;
  throw new CommandFailure(
    1,
    `${PROGRAM}: unknown command: ${PROGRAM} ${group.path} ${next}\n\n${usage}\n\n${pointer}`,
  );
}

async function runCommand(
  session: Session,
  entry: CommandEntry,
  path: string,
  line: readonly string[],
): Promise<number> {
  const command = await entry.load();
  const parsed = parseCommandLine(command, path, line);
  if (parsed.help !== 'no') {
    if (parsed.help === 'short') session.warn('Flag shorthand -h has been deprecated, use --help');
    session.out(commandHelp(command.spec, path, columnsOf(session)));
    return 0;
  }
  const complaint = argumentCountError(command.spec, path, parsed.args.length);
  if (complaint !== undefined) throw new CommandFailure(1, complaint);
  return command.run(session, { path, flags: parsed.flags, args: parsed.args });
}

function parseCommandLine(command: Command, path: string, line: readonly string[]): ParsedLine {
  const specs: readonly FlagSpec[] = command.spec.flags;
  try {
    return parseLine(line, { specs, interspersed: command.spec.interspersed ?? true, checks: command.checks });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw new CommandFailure(FLAG_ERROR_EXIT, flagErrorText(error.message, usageLine(command.spec, path), path));
  }
}

function columnsOf(session: Session): number {
  return session.stdio.stdout.columns ?? DEFAULT_COLUMNS;
}
