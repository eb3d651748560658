// Owns the syntax tree of a template and how errors write its nodes. No behaviour.
import { HintedError } from '../failure.ts';
import { quoted } from './go/text.ts';

/** A literal number, as far as it is one: its value as each kind that holds it. */
export interface NumberLiteral {
  readonly text: string;
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: readonly [number, number];
}

/** A part of an expression. `offset` is where errors say that it is. */
export type Operand =
  | { readonly kind: 'bool'; readonly offset: number; readonly value: boolean }
  | { readonly kind: 'dot'; readonly offset: number }
  | { readonly kind: 'nil'; readonly offset: number }
  | { readonly kind: 'number'; readonly offset: number; readonly number: NumberLiteral }
  | { readonly kind: 'string'; readonly offset: number; readonly value: string; readonly written: string }
  | { readonly kind: 'identifier'; readonly offset: number; readonly name: string }
  | { readonly kind: 'field'; readonly offset: number; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly offset: number; readonly names: readonly string[] }
  | { readonly kind: 'chain'; readonly offset: number; readonly start: Operand; readonly names: readonly string[] }
  | Pipeline;

/** An operand with arguments: a call when the first is a function or method. */
export interface Command {
  readonly kind: 'command';
  readonly offset: number;
  readonly operands: readonly Operand[];
}

/** Commands joined by `|`, perhaps declaring variables. */
export interface Pipeline {
  readonly kind: 'pipeline';
  readonly offset: number;
  readonly declares: readonly { readonly name: string }[];
  /** True for `=` instead of `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A piece of a template. */
export type Node =
  | { readonly kind: 'text'; readonly offset: number; readonly text: string }
  | { readonly kind: 'action'; readonly offset: number; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly offset: number;
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: 'break' | 'continue'; readonly offset: number }
  | {
      readonly kind: 'template';
      readonly offset: number;
      readonly name: string;
      readonly pipeline: Pipeline | undefined;
    };

/** A template ready to run. `name` is what errors call it. */
export interface Template {
  readonly name: string;
  readonly source: string;
  readonly nodes: readonly Node[];
  /** Templates that it defines, by name. */
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}

/** Anything that an error can point at. */
export type Place = Operand | Command | Node;

/** What to do about a field that is not there. */
export const FIELDS_HINT = 'see every field with --format json';
/** What to do about a function that is not there. */
export const FUNCTIONS_HINT =
  "besides Go's own functions there are json, join, split, lower, upper, title, pad, truncate";

/** A template that cannot be read or run; `message` in Go's words, `partial` what it had printed. */
export class TemplateError extends HintedError {
  partial = '';

  constructor(message: string, hint?: string) {
    super(message, hint);
    this.name = 'TemplateError';
  }
}

/** Every field name that appears after a dot anywhere in the template. */
export function fieldsUsed(template: Template): ReadonlySet<string> {
  const names = new Set<string>();
  const collect = (key: string, value: unknown): unknown => {
    if (key === 'names' && Array.isArray(value)) for (const name of value) names.add(String(name));
    return typeof value === 'bigint' ? undefined : value;
  };
  JSON.stringify([template.nodes, [...template.defined.values()]], collect);
  return names;
}

/** How errors write a node. @source Go text/template/parse, Node.String */
export function writtenForm(place: Place): string {
  switch (place.kind) {
    case 'bool':
      return String(place.value);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'number':
      return place.number.text;
    case 'string':
      return place.written;
    case 'identifier':
      return place.name;
    case 'field':
      return dotted(place.names);
    case 'variable':
      return place.names.join('.');
    case 'chain':
      return inParentheses(place.start) + dotted(place.names);
    case 'command':
      return place.operands.map(inParentheses).join(' ');
    case 'pipeline':
      return pipelineForm(place);
    case 'text':
      return place.text;
    case 'action':
      return `{{${pipelineForm(place.pipeline)}}}`;
    case 'break':
    case 'continue':
      return `{{${place.kind}}}`;
    case 'template':
      return `{{template ${quoted(place.name, '"', false)}${place.pipeline ? ` ${pipelineForm(place.pipeline)}` : ''}}}`;
    case 'if':
    case 'with':
    case 'range':
      return branchForm(place);
  }
}

const dotted = (names: readonly string[]): string => names.map((name) => `.${name}`).join('');

const inParentheses = (operand: Operand): string =>
  operand.kind === 'pipeline' ? `(${pipelineForm(operand)})` : writtenForm(operand);

function pipelineForm({ declares, assigns, commands }: Pipeline): string {
  const names = declares.map((variable) => variable.name).join(', ');
  const start = names === '' ? '' : `${names} ${assigns ? '=' : ':='} `;
  return start + commands.map(writtenForm).join(' | ');
}

function branchForm(node: Extract<Node, { kind: 'if' | 'with' | 'range' }>): string {
  const list = (nodes: readonly Node[]): string => nodes.map(writtenForm).join('');
  const otherwise = node.otherwise.length === 0 ? '' : `{{else}}${list(node.otherwise)}`;
  return `{{${node.kind} ${pipelineForm(node.pipeline)}}}${list(node.body)}${otherwise}{{end}}`;
}

/** `1:2` as Go counts: line from one, byte column from zero. */
export function lineAndColumn(source: string, offset: number): string {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  return `${line}:${Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))}`;
}
