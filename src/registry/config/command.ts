// Owns the command line of gantry-registry: which command, with which configuration. Starts nothing.

import { CommandLineError, commandLineParts } from '../../lib/command-line.ts';
import { GantryError } from '../../lib/errors.ts';
import { completeConfig } from './complete.ts';
import { strangersIn, variableOf } from './environment.ts';
import { readConfigFile } from './file.ts';
import { COMMANDS, OPTIONS, type Option } from './options.table.ts';
import type { RegistryConfig } from './types.ts';
import type { Setting } from './values.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'serve' | 'check-config'; readonly config: RegistryConfig; readonly notices: readonly string[] }
  | { readonly kind: 'gc'; readonly config: RegistryConfig }
  | { readonly kind: 'check'; readonly config: RegistryConfig; readonly isRepair: boolean }
  | { readonly kind: 'import'; readonly config: RegistryConfig; readonly from: string }
  | { readonly kind: 'hash-password'; readonly user: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly of: string | undefined };

/** docker-registry's name for it. */
const ALIASES: Readonly<Record<string, string>> = { 'garbage-collect': 'gc' };

/** Reads the command line. Flags win over GANTRY_REGISTRY_* variables, these over the file. @throws BAD_USAGE, CONFIG_INVALID */
export function readCommand(argv: readonly string[], env: NodeJS.ProcessEnv): Command {
  const [word = 'help', ...rest] = argv;
  if (word === '--version' || word === '-v') return { kind: 'version' };
  if (word === 'help' || word === '--help' || word === '-h') return { kind: 'help', of: rest[0] };
  const name = ALIASES[word] ?? word;
  if (!(name in COMMANDS)) throw badUsage(`unknown command: ${word}`);
  const { flags, places } = readFlags(name, rest);
  if (flags.has('help')) return { kind: 'help', of: name };
  if (name === 'version') return { kind: 'version' };
  if (name === 'hash-password') {
    const [user = ''] = places;
    if (!/^[^:\s]{1,255}$/.test(user)) throw badUsage('hash-password wants a user name');
    return { kind: 'hash-password', user };
  }
  if (places.length > 1) throw badUsage(`${word} takes one configuration file`);
  checkVariables(env);
  const setting = (flag: string): Setting | undefined => {
    const text = flags.get(flag);
    if (text !== undefined) return { text, name: `--${flag}` };
    const name = variableOf(flag);
    const variable = env[name];
    return variable === undefined || variable === '' ? undefined : { text: variable, name };
  };
  const { file, unusedKeys, unknownVariables, sourceOf } = readConfigFile(places[0] ?? setting('config')?.text, env);
  const config = completeConfig(setting, file, sourceOf);
  if (name === 'serve' || name === 'check-config') {
    const strangers = strangersIn(env).map((stranger) => stranger.name);
    const notices = [
      ...unusedKeys.map((key) => `the configuration's ${key} is not used by this registry`),
      ...[...unknownVariables, ...strangers].map(
        (one) => `the environment variable ${one} means nothing here and is passed over`,
      ),
    ];
    return { kind: name, config, notices };
  }
  if (name === 'gc') return { kind: name, config };
  if (name === 'check') return { kind: name, config, isRepair: flags.get('repair') === 'true' };
  const from = setting('from')?.text;
  if (from === undefined) throw badUsage('import wants --from DIR');
  return { kind: 'import', config, from };
}

/** A variable that was misspelt would leave a registry open that its owner believes closed. @throws CONFIG_INVALID */
function checkVariables(env: NodeJS.ProcessEnv): void {
  const misspelt = strangersIn(env).find(({ meant }) => meant !== undefined);
  if (!misspelt) return;
  throw new GantryError('invalid', 'CONFIG_INVALID', `there is no variable ${misspelt.name}`, {
    hint: `did you mean ${misspelt.meant}?`,
  });
}

function readFlags(command: string, args: readonly string[]): { flags: Map<string, string>; places: string[] } {
  const known = OPTIONS.filter((option) => option.commands.includes(command));
  const flags = new Map<string, string>();
  const places: string[] = [];
  const parts = commandLineParts(args, {
    long: (name) => known.find(({ flag }) => flag === name),
    short: () => undefined,
    takesValue: ({ kind }) => kind !== 'bool',
    interspersed: true,
  });
  try {
    for (const part of parts) {
      if (part.kind === 'argument') places.push(part.text);
      else if (part.kind !== 'flag') flags.set('help', 'true');
      else flags.set(part.flag.flag, checkedValue(part.flag, part.text));
    }
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    throw badUsage(error.unknown === undefined ? error.message : `unknown flag for ${command}: ${error.unknown}`);
  }
  return { flags, places };
}

function checkedValue({ flag, kind }: Option, text: string): string {
  if (kind === 'text' && text === '') throw badUsage(`flag needs an argument: --${flag}`);
  return text;
}

/** The text of help, of one command or of all. */
export function usage(of: string | undefined): string {
  if (of === undefined || !(of in COMMANDS)) {
    const lines = Object.entries(COMMANDS).map(([name, about]) => `  ${name.padEnd(16)}${about}`);
    return `Usage:  gantry-registry COMMAND [OPTIONS]\n\nAn OCI registry.\n\nCommands:\n${lines.join('\n')}\n`;
  }
  const lines = OPTIONS.filter((option) => option.commands.includes(of)).map(
    ({ flag, kind, help }) => `  --${`${flag}${kind === 'bool' ? '' : ' string'}`.padEnd(22)}${help}`,
  );
  const options = lines.length === 0 ? '' : `\nOptions:\n${lines.join('\n')}\n`;
  return `Usage:  gantry-registry ${of} [OPTIONS]\n\n${COMMANDS[of]}\n${options}`;
}

function badUsage(message: string): GantryError {
  return new GantryError('invalid', 'BAD_USAGE', message, { hint: 'see gantry-registry help' });
}
