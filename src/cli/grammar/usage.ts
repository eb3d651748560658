// Owns the text of help pages and usage errors, in Docker's layout. Prints nothing.
import { initialValue } from './flags.ts';
import type { CommandSpec, FlagSpec } from './types.ts';

/** The program's name in every message. */
export const PROGRAM = 'gantry';

const WRAP_SLOP = 5;
const MIN_TEXT_WIDTH = 24;

/** The line `Usage:  gantry ps [OPTIONS]`. `path` is the command as it was called. */
export function usageLine(spec: CommandSpec, path: string): string {
  const second = spec.secondUsage === undefined ? '' : `\n\t${PROGRAM} ${spec.secondUsage}`;
  return `Usage:  ${PROGRAM} ${`${path} ${spec.usage}`.trim()}${second}`;
}

/** What follows the text of a flag error. */
export function flagErrorText(message: string, usage: string, path: string): string {
  return `${message}\n\n${usage}\n\nRun '${`${PROGRAM} ${path}`.trim()} --help' for more information`;
}

/** The complaint when the number of arguments is wrong; undefined when it is right. */
export function argumentCountError(spec: CommandSpec, path: string, count: number): string | undefined {
  const { minArgs, maxArgs } = spec;
  if (count >= minArgs && (maxArgs === undefined || count <= maxArgs)) return undefined;
  if (spec.plainCount) return `accepts ${minArgs} arg(s), received ${count}`;
  const openEnded = maxArgs === undefined;
  const what = `'${PROGRAM} ${path}' ${countRule(minArgs, maxArgs)}`;
  const pointer = `${openEnded ? 'See' : 'Run'} '${PROGRAM} ${path} --help' for more information`;
  return `${PROGRAM}: ${what}\n\n${usageLine(spec, path)}\n\n${pointer}`;
}

function countRule(minArgs: number, maxArgs: number | undefined): string {
  const plural = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;
  if (maxArgs === undefined) return `requires at least ${plural(minArgs)}`;
  if (maxArgs === 0) return 'accepts no arguments';
  if (minArgs === maxArgs) return `requires ${plural(minArgs)}`;
  if (minArgs === 0) return `requires at most ${plural(maxArgs)}`;
  return `requires at least ${minArgs} and at most ${plural(maxArgs)}`;
}

/** The help page of one command; `columns` is the terminal's width. */
export function commandHelp(spec: CommandSpec, path: string, columns: number): string {
  const parts = [usageLine(spec, path), spec.about];
  if (spec.aliases !== undefined) {
    const all = [spec.path, ...spec.aliases].map((alias) => `${PROGRAM} ${alias}`);
    parts.push(`Aliases:\n  ${all.join(', ')}`);
  }
  if (spec.flags.some((flag) => flag.hidden !== true)) parts.push(`Options:\n${flagLines(spec.flags, columns - 1)}`);
  return `${parts.join('\n\n')}\n`;
}

/** One line a flag, sorted, descriptions wrapped at `columns`. @source pflag FlagUsagesWrapped */
export function flagLines(flags: readonly FlagSpec[], columns: number): string {
  const rows = flags
    .filter((flag) => flag.hidden !== true)
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .map((flag) => ({ head: flagHead(flag), about: flag.about + defaultText(flag) }));
  const width = Math.max(...rows.map((row) => row.head.length)) + 1;
  return rows.map((row) => `${row.head.padEnd(width)}  ${wrapText(row.about, width + 2, columns)}`).join('\n');
}

function flagHead(flag: FlagSpec): string {
  const name = flag.short === undefined ? `      --${flag.name}` : `  -${flag.short}, --${flag.name}`;
  return flag.type === 'bool' ? name : `${name} ${flag.type}`;
}

function defaultText(flag: FlagSpec): string {
  const value = initialValue(flag);
  if (value === '' || value === 0 || value === false || typeof value === 'object') return '';
  return ` (default ${typeof value === 'string' ? `"${value}"` : value})`;
}

function wrapText(text: string, indent: number, columns: number): string {
  const room = columns - indent;
  if (room < MIN_TEXT_WIDTH) return text;
  const lines: string[] = [];
  let rest = text;
  while (rest !== '') {
    const [line, after] = cutLine(rest, room - WRAP_SLOP);
    lines.push(line);
    rest = after;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

function cutLine(text: string, width: number): [string, string] {
  if (width + WRAP_SLOP > text.length) return [text, ''];
  const space = text.slice(0, width).lastIndexOf(' ');
  return space <= 0 ? [text, ''] : [text.slice(0, space), text.slice(space + 1)];
}

/** A two-column list of commands, as help shows it. */
export function commandLines(commands: readonly { readonly name: string; readonly about: string }[]): string {
  const width = Math.max(...commands.map((command) => command.name.length), 11);
  return commands.map((command) => `  ${command.name.padEnd(width)} ${command.about}`).join('\n');
}
