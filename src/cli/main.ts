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
const DEPRECATED_SHORT_HELP = 'Flag shorthand -h has been deprecated, use --help';
const LOG_LEVELS = new Set(['panic', 'fatal', 'error', 'warn', 'warning', 'info', 'debug', 'trace']);

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
    globals = parseGlobals(argv);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    const failure = await flagFailure(error, globalOptions, ROOT_USAGE, '');
    say(explainFailure(failure, false).text);
    return failure.exitCode;
  }
  const tracing = globals.flags.bool('trace') ? await import('./command-trace.ts') : undefined;
  using trace = tracing?.startTrace(argv, say);
  using session = createSession({ stdio, env, globals: globals.flags, now: options.now, observer: trace });
  try {
    return await dispatch(session, globals);
  } catch (error) {
    if (error instanceof QuietExit) return error.exitCode;
    const explained = explainFailure(error, globals.flags.bool('debug'));
    if (explained.text !== '') say(explained.text);
    return explained.exitCode;
  }
}

/** Options before the command; an `-h` leaves the words that it is about. */
function parseGlobals(argv: readonly string[]): ParsedLine {
  const options = { specs: globalOptions, interspersed: false };
  const line = parseLine(argv, options);
  return line.help === 'short' ? { ...line, args: parseLine(line.args, options).args } : line;
}

async function dispatch(session: Session, globals: ParsedLine): Promise<number> {
  const isHelpCommand = globals.args[0] === 'help';
  const help = globals.help !== 'no' || isHelpCommand;
  const words = isHelpCommand ? globals.args.slice(1) : globals.args;
  checkLogLevel(globals.flags.text('log-level'));
  if (words.length === 0 && !help && globals.flags.bool('version')) {
    const { VERSION } = await import('../lib/package.ts');
    session.line(`Gantry version ${VERSION}`);
    return 0;
  }
  if (globals.help === 'short') session.line(DEPRECATED_SHORT_HELP);
  if (words.length === 0) return printHelp(session, rootHelp(columnsOf(session)));
  const found = findCommand(words);
  if (found === undefined) return unknownOrGroup(session, words, help);
  return runCommand(session, found.entry, found.path, help ? ['--help'] : words.slice(found.used));
}

/** @throws CommandFailure (1) in Docker's words */
function checkLogLevel(level: string): void {
  if (LOG_LEVELS.has(level.toLowerCase())) return;
  throw new CommandFailure(1, `Unable to parse logging level: ${level}`, 'use debug, info, warn, error or fatal');
}

function printHelp(session: Session, page: string): number {
  session.out(page);
  return 0;
}

async function unknownOrGroup(session: Session, words: readonly string[], help: boolean): Promise<number> {
  const group = GROUPS.find((candidate) => candidate.path === words[0]);
  const next = words[1];
  if (group === undefined) {
    const { unknownCommand, unknownTopic } = await import('./unknown-command.ts');
    if (help) throw unknownTopic(words);
    const { runPlugin } = await import('./plugins.ts');
    const code = await runPlugin(session, words);
    if (code !== undefined) return code;
    throw unknownCommand(words);
  }
  if (help && next !== undefined) throw (await import('./unknown-command.ts')).unknownTopic(words);
  if (next === '-h') session.line(DEPRECATED_SHORT_HELP);
  if (help || next === '--help' || next === '-h') return printHelp(session, groupHelp(group));
  if (next === undefined || next === '--help=false') {
    session.stdio.stderr.write(groupHelp(group));
    return 0;
  }
  if (!next.startsWith('-')) throw (await import('./unknown-command.ts')).unknownInGroup(group, next);
  const what = next.startsWith('--')
    ? `unknown flag: ${next.replace(/=.*/s, '')}`
    : `unknown shorthand flag: '${next[1] ?? ''}' in ${next}`;
  throw new CommandFailure(FLAG_ERROR_EXIT, flagErrorText(what, `Usage:  ${PROGRAM} ${group.usage}`, group.path));
}

async function runCommand(
  session: Session,
  entry: CommandEntry,
  path: string,
  line: readonly string[],
): Promise<number> {
  const command = await entry.load();
  const parsed = await parseCommandLine(command, path, line);
  if (parsed.help !== 'no') {
    if (parsed.help === 'short') session.line(DEPRECATED_SHORT_HELP);
    return printHelp(session, commandHelp(command.spec, path, columnsOf(session)));
  }
  for (const flag of command.spec.flags) {
    if (flag.deprecated === undefined || !parsed.flags.changed(flag.name)) continue;
    session.line(`Flag --${flag.name} has been deprecated, ${flag.deprecated}`);
  }
  const complaint = argumentCountError(command.spec, path, parsed.args.length);
  if (complaint !== undefined) throw new CommandFailure(1, complaint);
  return command.run(session, { path, flags: parsed.flags, args: parsed.args });
}

async function parseCommandLine(command: Command, path: string, line: readonly string[]): Promise<ParsedLine> {
  const specs: readonly FlagSpec[] = command.spec.flags;
  try {
    return parseLine(line, { specs, interspersed: command.spec.interspersed ?? true, checks: command.checks });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    throw await flagFailure(error, specs, usageLine(command.spec, path), path);
  }
}

async function flagFailure(
  error: FlagError,
  specs: readonly FlagSpec[],
  usage: string,
  path: string,
): Promise<CommandFailure> {
  const text = flagErrorText(error.message, usage, path);
  if (error.unknown === undefined) return new CommandFailure(FLAG_ERROR_EXIT, text, error.hint);
  const { closest } = await import('./suggest.ts');
  const names = specs.filter((spec) => spec.hidden !== true).map((spec) => spec.name);
  const guess = closest(error.unknown, names);
  return new CommandFailure(FLAG_ERROR_EXIT, text, guess === undefined ? undefined : `did you mean --${guess}?`);
}

function columnsOf(session: Session): number {
  return session.stdio.stdout.columns ?? DEFAULT_COLUMNS;
}
