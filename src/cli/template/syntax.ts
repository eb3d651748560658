// Owns the syntax tree of a format template. No behaviour.

/** A place that errors quote: byte offset in the template and the source text there. */
export interface Place {
  readonly offset: number;
  readonly source: string;
}

/** Something that has a value. */
export type Operand =
  | { readonly kind: 'dot'; readonly place: Place }
  | { readonly kind: 'field'; readonly place: Place; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly place: Place; readonly variable: string; readonly names: readonly string[] }
  | { readonly kind: 'literal'; readonly place: Place; readonly value: string | number | boolean | null }
  | { readonly kind: 'function'; readonly place: Place; readonly name: string }
  | { readonly kind: 'chain'; readonly place: Place; readonly inner: Pipeline; readonly names: readonly string[] };

/** An operand with arguments: a call when the first is a function or method. */
export interface Command {
  readonly place: Place;
  readonly operands: readonly Operand[];
}

/** Commands joined by `|`, perhaps declaring variables. */
export interface Pipeline {
  readonly place: Place;
  readonly declares: readonly string[];
  /** True for `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A piece of a template. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'break' | 'continue' };

/** A template that cannot be read or run; `message` in Go's words, `partial` what it had printed. */
export class TemplateError extends Error {
  partial = '';

  constructor(message: string) {
    super(message);
    this.name = 'TemplateError';
  }
}

/** `1:2` as Go counts: line from one, byte column from zero. */
export function lineAndColumn(source: string, offset: number): string {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  return `${line}:${Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))}`;
}
