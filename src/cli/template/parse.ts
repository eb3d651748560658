// Owns reading a template into its syntax tree. Evaluates nothing.
import { goQuote } from '../grammar/go-text.ts';
import { lexTemplate, type Segment, type Token } from './lex.ts';
import { type Command, lineAndColumn, type Node, type Operand, type Pipeline, TemplateError } from './syntax.ts';

/** A template ready to run. `name` is what errors call it. */
export interface Template {
  readonly name: string;
  readonly source: string;
  readonly nodes: readonly Node[];
}

/**
 * Reads `source`; `functions` are the names it may call.
 * @throws TemplateError in Go's words
 * @source Go text/template
 */
export function parseTemplate(source: string, functions: ReadonlySet<string>, name = ''): Template {
  const reader = new Reader(source, lexTemplate(source, name), functions, name);
  return { name, source, nodes: reader.readAll() };
}

/** Every field name that appears after a dot anywhere in the template. */
export function fieldsUsed(template: Template): ReadonlySet<string> {
  const names = new Set<string>();
  JSON.stringify(template.nodes, (key, value: unknown) => {
    if (key === 'names' && Array.isArray(value)) for (const name of value) names.add(String(name));
    return value;
  });
  return names;
}

type Stop = { readonly word: 'end' | 'else'; readonly tokens: Token[] };

class Reader {
  readonly #source: string;
  readonly #segments: readonly Segment[];
  readonly #functions: ReadonlySet<string>;
  readonly #name: string;
  #at = 0;
  #line = '1';

  constructor(source: string, segments: readonly Segment[], functions: ReadonlySet<string>, name: string) {
    this.#source = source;
    this.#segments = segments;
    this.#functions = functions;
    this.#name = name;
  }

  readAll(): Node[] {
    const { nodes, stop } = this.#readList();
    if (stop !== undefined) this.#fail(`unexpected {{${stop.word}}}`);
    return nodes;
  }

  #fail(what: string): never {
    throw new TemplateError(`template: ${this.#name}:${this.#line}: ${what}`);
  }

  #readList(): { nodes: Node[]; stop: Stop | undefined } {
    const nodes: Node[] = [];
    while (this.#at < this.#segments.length) {
      const segment = this.#segments[this.#at++];
      if (segment === undefined) break;
      if (segment.kind === 'text') {
        nodes.push(segment);
        continue;
      }
      this.#line = lineAndColumn(this.#source, segment.offset).split(':')[0] ?? '1';
      const tokens = trimSpace(segment.tokens);
      const word = tokens[0]?.type === 'word' ? tokens[0].text : '';
      if (word === 'end' || word === 'else') return { nodes, stop: { word, tokens: trimSpace(tokens.slice(1)) } };
      nodes.push(this.#readAction(word, tokens));
    }
    return { nodes, stop: undefined };
  }

  #readAction(word: string, tokens: Token[]): Node {
    if (word === 'if' || word === 'with' || word === 'range') return this.#readBlock(word, tokens.slice(1));
    if (word === 'break' || word === 'continue') return { kind: word };
    if (tokens.length === 0) this.#fail('missing value for command');
    return { kind: 'action', pipeline: this.#pipeline(new Cursor(tokens), 'command') };
  }

  #readBlock(kind: 'if' | 'with' | 'range', tokens: Token[]): Node {
    const pipeline = this.#pipeline(new Cursor(trimSpace(tokens)), kind);
    const { nodes: body, stop } = this.#readList();
    if (stop === undefined) this.#fail('unexpected EOF');
    if (stop.word === 'end') return { kind, pipeline, body, otherwise: [] };
    const next = stop.tokens[0];
    if (next?.type === 'word' && (next.text === 'if' || next.text === 'with')) {
      return { kind, pipeline, body, otherwise: [this.#readBlock(next.text, stop.tokens.slice(1))] };
    }
    const { nodes: otherwise, stop: end } = this.#readList();
    if (end?.word !== 'end') this.#fail(end === undefined ? 'unexpected EOF' : 'expected end; found {{else}}');
    return { kind, pipeline, body, otherwise };
  }

  #pipeline(cursor: Cursor, context: string): Pipeline {
    const start = cursor.peek();
    const { declares, assigns } = this.#declaration(cursor);
    const commands: Command[] = [];
    do {
      cursor.skipSpace();
      const first = cursor.peek()?.offset ?? 0;
      const operands = this.#operands(cursor, context);
      const source = this.#source.slice(first, cursor.endOffset()).trimEnd();
      commands.push({ place: { offset: first, source }, operands });
    } while (cursor.take('symbol', '|'));
    const offset = start?.offset ?? 0;
    return { place: { offset, source: this.#source.slice(offset, cursor.endOffset()) }, declares, assigns, commands };
  }

  #declaration(cursor: Cursor): { declares: string[]; assigns: boolean } {
    const mark = cursor.mark();
    const declares: string[] = [];
    for (;;) {
      cursor.skipSpace();
      const token = cursor.peek();
      if (token?.type !== 'variable') break;
      cursor.next();
      declares.push(token.text);
      cursor.skipSpace();
      if (cursor.take('symbol', ':=')) return { declares, assigns: false };
      if (cursor.take('symbol', '=')) return { declares, assigns: true };
      if (!cursor.take('symbol', ',')) break;
    }
    cursor.reset(mark);
    return { declares: [], assigns: false };
  }

  #operands(cursor: Cursor, context: string): Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      cursor.skipSpace();
      const token = cursor.peek();
      if (token === undefined || (token.type === 'symbol' && (token.text === '|' || token.text === ')'))) break;
      operands.push(this.#operand(cursor));
      const after = cursor.peek();
      if (after !== undefined && after.type !== 'space' && after.type !== 'symbol') {
        this.#fail(`unexpected ${describe(after)} in operand`);
      }
    }
    if (operands.length === 0) this.#fail(`missing value for ${context}`);
    return operands;
  }

  #operand(cursor: Cursor): Operand {
    const token = cursor.next();
    if (token === undefined) this.#fail('unexpected end of action');
    const place = { offset: token.offset, source: token.source };
    switch (token.type) {
      case 'dot':
        return { kind: 'dot', place };
      case 'field': {
        const names = [token.text, ...cursor.fields()];
        const source = names.map((name) => `.${name}`).join('');
        // Go places a chain of fields at its second one.
        const offset = names.length > 1 ? place.offset + place.source.length : place.offset;
        return { kind: 'field', names, place: { offset, source } };
      }
      case 'variable': {
        const names = cursor.fields();
        return { kind: 'variable', variable: token.text, names, place };
      }
      case 'string':
        return {
          kind: 'literal',
          value: token.source.startsWith("'") ? (token.text.codePointAt(0) ?? 0) : token.text,
          place,
        };
      case 'number':
        return { kind: 'literal', value: Number(token.text), place };
      case 'word':
        return this.#word(token.text, place);
      case 'symbol':
        if (token.text === '(') return this.#parenthesis(cursor, place);
        break;
      case 'space':
        break;
    }
    return this.#fail(`unexpected ${describe(token)} in command`);
  }

  #word(word: string, place: Operand['place']): Operand {
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true', place };
    if (word === 'nil') return { kind: 'literal', value: null, place };
    if (!this.#functions.has(word)) this.#fail(`function ${goQuote(word)} not defined`);
    return { kind: 'function', name: word, place };
  }

  #parenthesis(cursor: Cursor, place: Operand['place']): Operand {
    const inner = this.#pipeline(cursor, 'parenthesized pipeline');
    if (!cursor.take('symbol', ')')) this.#fail('unclosed left paren');
    const names = cursor.fields();
    return {
      kind: 'chain',
      inner,
      names,
      place: { offset: place.offset, source: this.#source.slice(place.offset, cursor.endOffset()) },
    };
  }
}

/** Walks the tokens of one action. */
class Cursor {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  skipSpace(): void {
    while (this.peek()?.type === 'space') this.#at++;
  }

  take(type: Token['type'], text: string): boolean {
    const token = this.peek();
    if (token?.type !== type || token.text !== text) return false;
    this.#at++;
    return true;
  }

  /** The `.A.B` that follows directly. */
  fields(): string[] {
    const names: string[] = [];
    for (let token = this.peek(); token?.type === 'field'; token = this.peek()) {
      names.push(token.text);
      this.#at++;
    }
    return names;
  }

  mark(): number {
    return this.#at;
  }

  reset(mark: number): void {
    this.#at = mark;
  }

  endOffset(): number {
    const last = this.#tokens[this.#at - 1];
    return last === undefined ? 0 : last.offset + last.source.length;
  }
}

function trimSpace(tokens: readonly Token[]): Token[] {
  const trimmed = [...tokens];
  while (trimmed[0]?.type === 'space') trimmed.shift();
  while (trimmed.at(-1)?.type === 'space') trimmed.pop();
  return trimmed;
}

function describe(token: Token): string {
  return `<${token.source}>`;
}
