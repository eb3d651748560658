// Owns the shape of the grammar tables: commands and their flags as data. No behaviour.

/** How a flag's value is read, and the word that help shows for it. */
export type FlagType =
  | 'bool'
  | 'bytes'
  | 'decimal'
  | 'duration'
  | 'filter'
  | 'gpu-request'
  | 'int'
  | 'list'
  | 'map'
  | 'mount'
  | 'network'
  | 'string'
  | 'stringToString'
  | 'strings'
  | 'uint'
  | 'uint16'
  | 'ulimit';

/** One flag. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  readonly type: FlagType;
  /** Value when the flag is absent; empty, zero or false when not given here. */
  readonly initial?: string | number | boolean;
  /** Accepted with this word to the user, and not shown in help. */
  readonly deprecated?: string;
  /** Accepted, but not shown in help. */
  readonly hidden?: boolean;
  readonly about: string;
}

/** One command. Paths are without the program's name. */
export interface CommandSpec {
  readonly path: string;
  /** Other full paths of the same command. */
  readonly aliases?: readonly string[];
  /** Other paths that help does not show. */
  readonly quietAliases?: readonly string[];
  /** The usage line after the path. */
  readonly usage: string;
  /** Another usage line, without the program's name. */
  readonly secondUsage?: string;
  readonly about: string;
  readonly minArgs: number;
  /** Absent means any number. */
  readonly maxArgs?: number;
  /** A wrong number of arguments is reported in few words, without usage. */
  readonly plainCount?: boolean;
  /** False when flags end at the first argument. */
  readonly interspersed?: boolean;
  readonly flags: readonly FlagSpec[];
}
