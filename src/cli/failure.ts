// Owns how a command fails: text, exit code, and whether usage follows. Prints nothing.

/** A failure of a part, with what to do about it; the command that reports it adds its exit code. */
export class HintedError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint: string | undefined) {
    super(message);
    this.name = 'HintedError';
    this.hint = hint;
  }
}

/** A failure with its exit code, already in the words to print. */
export class CommandFailure extends HintedError {
  readonly exitCode: number;

  constructor(exitCode: number, message: string, hint?: string) {
    super(message, hint);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}

/** The command ends with `exitCode` and prints nothing more. */
export class QuietExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.name = 'QuietExit';
    this.exitCode = exitCode;
  }
}
