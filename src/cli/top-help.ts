// Owns the help pages that list commands. Prints nothing.
import { globalOptions } from './grammar/global.table.ts';
import { commandLines, flagLines, PROGRAM } from './grammar/usage.ts';
import { COMMANDS, COMMON_COMMANDS, type CommandGroup, GROUPS } from './registry.ts';

/** The page of `gantry --help`. */
export function rootHelp(columns: number): string {
  const top = topCommands();
  const common = COMMON_COMMANDS.flatMap((name) => top.filter((command) => command.name === name));
  const others = top.filter((command) => !COMMON_COMMANDS.includes(command.name));
  return [
    `Usage:  ${PROGRAM} [OPTIONS] COMMAND`,
    'Containers, with the grammar of docker',
    `Common Commands:\n${commandLines(common)}`,
    `Management Commands:\n${commandLines(GROUPS.map((group) => ({ name: group.path, about: group.about })))}`,
    `Commands:\n${commandLines(others)}`,
    `Global Options:\n${flagLines(globalOptions, columns - 1)}`,
    `Run '${PROGRAM} COMMAND --help' for more information on a command.\n`,
  ].join('\n\n');
}

/** The page of a noun. */
export function groupHelp(group: CommandGroup): string {
  const commands = COMMANDS.filter((command) => command.path.startsWith(`${group.path} `)).map((command) => ({
    name: command.path.slice(group.path.length + 1),
    about: command.about,
  }));
  return [
    `Usage:  ${PROGRAM} ${group.path} COMMAND`,
    group.about,
    `Commands:\n${commandLines(commands)}`,
    `Run '${PROGRAM} ${group.path} COMMAND --help' for more information on a command.\n`,
  ].join('\n\n');
}

/** Commands that need no noun before them. */
function topCommands(): { readonly name: string; readonly about: string }[] {
  return COMMANDS.flatMap((command) => {
    const name = [command.path, ...command.aliases].find((path) => !path.includes(' '));
    return name === undefined ? [] : [{ name, about: command.about }];
  }).sort((left, right) => (left.name < right.name ? -1 : 1));
}
